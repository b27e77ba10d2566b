import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NETWORK_KINDS, PENDING } from "../../tools/golden/run.ts";

/** The folder of the project's goldens, and of their cases. */
export const GOLDEN_FOLDER = fileURLToPath(new URL("../golden/", import.meta.url));
const CASES_FOLDER = `${GOLDEN_FOLDER}cases/`;

/** Names of all cases whose kind is built. */
export const BUILT_CASES: readonly string[] = readdirSync(CASES_FOLDER)
  .filter((name) => !PENDING.has(kindOf(name)))
  .toSorted();

/** Those that run the network, on a backend. */
export const NETWORK_CASES = BUILT_CASES.filter((name) => NETWORK_KINDS.has(kindOf(name)));

/** The others: files, schedules, solvers, noise and pictures, which no backend and no precision changes. */
export const PLAIN_CASES = BUILT_CASES.filter((name) => !NETWORK_CASES.includes(name));

function kindOf(name: string): string {
  return (readGoldenCase(name) as { readonly kind: string }).kind;
}

/** `case.json` of a case. */
export function readGoldenCase(name: string): unknown {
  return JSON.parse(new TextDecoder().decode(readGoldenFile(name, "case.json")));
}

/** A file that lies beside it. */
export function readGoldenFile(name: string, file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(`${CASES_FOLDER}${name}/${file}`));
}
