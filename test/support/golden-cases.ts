import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PENDING } from "../../tools/golden/run.ts";

/** The folder of the project's goldens, and of their cases. */
export const GOLDEN_FOLDER = fileURLToPath(new URL("../golden/", import.meta.url));
const CASES_FOLDER = `${GOLDEN_FOLDER}cases/`;

/** Names of all cases whose kind is built. */
export const BUILT_CASES: readonly string[] = readdirSync(CASES_FOLDER)
  .filter((name) => !PENDING.has((readGoldenCase(name) as { readonly kind: string }).kind))
  .toSorted();

/** `case.json` of a case. */
export function readGoldenCase(name: string): unknown {
  return JSON.parse(new TextDecoder().decode(readGoldenFile(name, "case.json")));
}

/** A file that lies beside it. */
export function readGoldenFile(name: string, file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(`${CASES_FOLDER}${name}/${file}`));
}
