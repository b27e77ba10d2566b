import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import type { Plugin, Rolldown } from "vite";
import { getManifest } from "workbox-build";
import type { Licences } from "../bundling/licences.mjs";

const SOURCE = fileURLToPath(new URL("../../demo/offline/service-worker.ts", import.meta.url));
const FILE = "service-worker.js";
const LICENCES = "licenses.txt";
/** Files of klein-nano-base. Files that it shares with klein-nano are cached from the start. */
const ON_REQUEST = "/models/klein-nano-base/";
/** More than onnxruntime's wasm and klein-nano's weights. */
const MAX_FILE_BYTES = 64 << 20;

/** Writes the service worker beside the built page, with the list of files that it caches and all licences. */
export function serviceWorker(licences: Licences): Plugin {
  return {
    name: "kleinbild:service-worker",
    apply: "build",
    async writeBundle({ dir }, bundle) {
      if (dir === undefined) throw new Error("the page is built into a folder");
      const onRequest = Object.values(bundle).filter(isOnRequest);
      const names = onRequest.map(({ fileName }) => fileName);
      const { manifestEntries, warnings } = await getManifest({
        globDirectory: dir,
        globPatterns: ["**/*"],
        globIgnores: [FILE, LICENCES, ...names],
        dontCacheBustURLsMatching: /^assets\//,
        maximumFileSizeToCacheInBytes: MAX_FILE_BYTES,
      });
      if (warnings.length > 0) throw new Error(warnings.join("\n"));
      await build({
        input: SOURCE,
        platform: "browser",
        plugins: [licences.collect()],
        transform: {
          target: "es2023",
          define: {
            "process.env.NODE_ENV": '"production"',
            PRECACHED: JSON.stringify(manifestEntries),
            KEPT_ON_REQUEST: JSON.stringify(names),
          },
        },
        // a classic script, because older versions of Firefox have no module service workers
        output: { file: join(dir, FILE), format: "iife", minify: true },
        logLevel: "warn",
      });
      await writeFile(join(dir, LICENCES), licences.text());
    },
  };
}

function isOnRequest(file: Rolldown.OutputAsset | Rolldown.OutputChunk): boolean {
  return (
    file.type === "asset" &&
    file.originalFileNames.length > 0 &&
    file.originalFileNames.every((name) => `/${name}`.includes(ON_REQUEST))
  );
}
