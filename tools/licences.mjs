import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Adds LICENCES.txt: the licence of each npm package whose code went into a bundle.
 *
 * @returns {import("rolldown").Plugin}
 */
export function licences() {
  return {
    name: "licences",
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
      const folders = new Set(modules.filter((id) => /[\\/]node_modules[\\/]/.test(id)).map(packageFolder));
      const source = [...folders]
        .map(licenceOf)
        .toSorted()
        .join(`\n\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "LICENCES.txt", source });
    },
  };
}

/**
 * The folder above a module whose package.json has a name; others say only how modules are read.
 * @param {string} file
 * @returns {string}
 */
function packageFolder(file) {
  const folder = dirname(file);
  const manifest = join(folder, "package.json");
  return existsSync(manifest) && readManifest(folder).version ? folder : packageFolder(folder);
}

/** @param {string} folder */
function licenceOf(folder) {
  const { name, version, license } = readManifest(folder);
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`;
  return `${name} ${version}\n\n${text}\n`;
}

/**
 * @param {string} folder
 * @returns {{ name: string, version?: string, license?: string }}
 */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
