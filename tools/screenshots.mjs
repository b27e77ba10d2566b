import { launch } from "./launch.mjs";

// pictures of the page, for the papers: docs/screenshots/
await launch("screenshots", "tools/screenshots/main.ts", process.argv.slice(2));
