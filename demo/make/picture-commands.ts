import type { Picture } from "../state/picture.ts";
import type { Studio } from "../state/studio.ts";
import { fileName } from "./file-name.ts";

/** A picture as a file with a name, its settings inside. */
function pictureFile({ file, metadata }: Picture): File {
  return new File([file], fileName(metadata), { type: file.type });
}

/** Adds it to the references and says so, since they may be out of sight. */
export async function useAsReference(studio: Studio, picture: Picture): Promise<void> {
  const before = studio.references.list.length;
  await studio.addReferences([pictureFile(picture)]);
  const { length } = studio.references.list;
  if (length > before) studio.notices.info(`The picture is image ${length} now.`);
}

export function reuseSeed(studio: Studio, { report: { seed } }: Picture): void {
  studio.settings.set({ seed, seedLocked: true });
  studio.notices.info(`The next picture is made from seed ${seed}.`);
}

export async function reuseSettings(studio: Studio, picture: Picture): Promise<void> {
  await studio.restore(picture);
  studio.notices.info("The settings of this picture are restored.");
}

export const canCopy = (): boolean => "ClipboardItem" in globalThis && "clipboard" in navigator;

export async function copyPicture(studio: Studio, { file }: Picture): Promise<void> {
  try {
    await navigator.clipboard.write([new ClipboardItem({ [file.type]: file })]);
    studio.notices.info("The picture was copied.");
  } catch (error) {
    studio.notices.error(new Error("The browser did not let the page copy the picture.", { cause: error }));
  }
}

export function canShare(picture: Picture): boolean {
  return "canShare" in navigator && navigator.canShare({ files: [pictureFile(picture)] });
}

export async function sharePicture(studio: Studio, picture: Picture): Promise<void> {
  try {
    await navigator.share({ files: [pictureFile(picture)] });
  } catch (error) {
    const isChangeOfMind = error instanceof DOMException && error.name === "AbortError";
    if (!isChangeOfMind) studio.notices.error(new Error("The picture could not be shared.", { cause: error }));
  }
}
