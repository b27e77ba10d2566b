import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const { dependencies, peerDependencies, devDependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
/** Packages that are installed with this one. */
export const DECLARED = Object.keys({ ...dependencies, ...peerDependencies });
/** Packages that are installed in the repository. */
export const INSTALLED = [...DECLARED, ...Object.keys(devDependencies)];

/**
 * Rolldown's input options for modules of this repository.
 *
 * @param {string} folder  output folder in the repository
 * @param {Readonly<Record<string, string>>} entries  name of the output → source file in the repository
 * @param {readonly string[]} [packages]  packages that stay imports, for Node and bundlers; without them everything is
 *   bundled for browsers
 * @returns {import("rolldown").InputOptions}
 */
export function modules(folder, entries, packages) {
  return {
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `${ROOT}${file}`])),
    cwd: ROOT,
    plugins: [rawText, moduleAddresses(folder, entries)],
    transform: { target: "es2023" },
    logLevel: "warn",
    ...(packages === undefined
      ? { platform: "browser" }
      : {
          platform: "neutral",
          resolve: { mainFields: ["module", "main"] },
          external: (id) => id.startsWith("node:") || packages.some((name) => id === name || id.startsWith(`${name}/`)),
        }),
  };
}

/**
 * `import source from "./kernel.wgsl?raw"` gives the text, as in Vite. Rolldown loads a file as text by its extension only,
 * and does not resolve the suffix.
 *
 * @type {import("rolldown").Plugin}
 */
const rawText = {
  name: "raw-text",
  resolveId: {
    filter: { id: /\?raw$/ },
    handler: (id, importer) => fileURLToPath(new URL(id, `file://${importer}`)) + "?raw",
  },
  load: {
    filter: { id: /\?raw$/ },
    handler: (id) => ({ code: readFileSync(id.slice(0, -"?raw".length), "utf8"), moduleType: "text" }),
  },
};

/**
 * Rewrites `new URL("…", import.meta.url)` for modules in an output folder. A source file that is an entry becomes the
 * module beside it; any other file stays where it is in the repository. Rolldown's `resolveNewUrlToAsset` would copy
 * workers without bundling them, and each file of a model under a new name.
 *
 * @param {string} folder
 * @param {Readonly<Record<string, string>>} entries
 * @returns {import("rolldown").Plugin}
 */
const moduleAddresses = (folder, entries) => ({
  name: "module-addresses",
  transform: {
    filter: { code: /new URL\(\s*"\.{1,2}[/"]/ },
    handler: (code, id) => ({
      code: code.replaceAll(/(?<=new URL\(\s*")(\.{1,2}(?:\/[^"]*)?)(?=",\s*import\.meta\.url)/g, (address) => {
        const file = relative(ROOT, resolve(dirname(id), address));
        const [name] = Object.entries(entries).find(([, source]) => source === file) ?? [];
        if (name !== undefined) return `./${name}.js`;
        return `${relative(folder, file)}${address.endsWith("/") ? "/" : ""}`;
      }),
      map: null, // no line moves
    }),
  },
});
