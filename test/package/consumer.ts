import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Somebody's project: the packed package in its node_modules. All else that it imports is found above, among the
 * project's own packages, which no bundler takes for a link out of the project.
 *
 * @param packed   folder of the unpacked package
 * @param example  of examples/, copied as a user would
 * @returns the project's folder
 */
export function createConsumer(packed: string, example?: string): string {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  const project = mkdtempSync(join(ROOT, ".cache/consumer-"));
  if (example !== undefined) cpSync(join(ROOT, "examples", example), project, { recursive: true });
  else
    writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", type: "module", private: true }));
  cpSync(packed, join(project, "node_modules/kleinbild"), { recursive: true });
  return project;
}
