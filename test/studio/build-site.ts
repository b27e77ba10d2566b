import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The page that these tests open, built once for all of them. */
export function setup(): void {
  const tool = fileURLToPath(new URL("../../tools/build-site.mjs", import.meta.url));
  execFileSync(process.execPath, [tool], { stdio: ["ignore", 2, 2] });
}
