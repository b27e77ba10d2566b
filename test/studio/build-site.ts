import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The page that these tests open, built once for all of them unless `npm test` has built it. */
export function setup(): void {
  if (process.env["KLEINBILD_BUILT"] === "1") return;
  const tool = fileURLToPath(new URL("../../tools/build.mjs", import.meta.url));
  execFileSync(process.execPath, [tool, "site"], { stdio: ["ignore", 2, 2] });
}
