import { formatBytes } from "../state/format.ts";

/** Files that were picked, or dropped: then by their paths. */
export type Picked = Readonly<Record<string, File>> | readonly File[];

const MOST_NAMES = 4;

const listed = (picked: Picked): readonly File[] => Object.values(picked);

/** How much there is, and which files, as far as they can be shown in a line or two. */
export function describePicked(picked: Picked): { readonly amount: string; readonly names: string } {
  const files = listed(picked);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const names = files.map(({ name }) => name);
  const shown = names.length > MOST_NAMES ? names.slice(0, MOST_NAMES - 1) : names;
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  return {
    amount: `${files.length === 1 ? "1 file" : `${files.length} files`}, ${formatBytes(bytes)}`,
    names: shown.join(", ") + more,
  };
}

/** What to call the model: by the folder's name, or that of the largest file. */
export function nameOfPicked(picked: Picked): string {
  const files = listed(picked);
  const folder = files[0]?.webkitRelativePath?.split("/")[0];
  const [largest] = files.toSorted((a, b) => b.size - a.size);
  return folder || (largest?.name.replace(/\.[^.]+$/, "") ?? "the chosen files");
}
