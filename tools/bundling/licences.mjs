import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third.?party.?notices)/i;

const INTRODUCTION = `Kleinbild, Apache-2.0. Its models klein-nano and klein-nano-base contain artwork derived from Noto Color Emoji,
copyright Google, SIL OFL 1.1.

This contains these packages:
`;

/**
 * @typedef {object} Package
 * @property {string} name
 * @property {string} version
 * @property {string} [license]
 * @property {string | { url: string }} [repository]
 */

/** The licences of the packages in one or more bundles. Vite's `build.license` omits packages that only workers load. */
export class Licences {
  /** @type {Set<string>} */
  #folders = new Set();

  /**
   * Notes the packages in a bundle.
   *
   * @returns {import("rolldown").Plugin}
   */
  collect() {
    return {
      name: "kleinbild:licences",
      generateBundle: (_, bundle) => {
        for (const file of Object.values(bundle)) {
          if (file.type !== "chunk") continue;
          for (const id of file.moduleIds) {
            const folder = packageFolder(id);
            if (folder !== undefined) this.#folders.add(folder);
          }
        }
      },
    };
  }

  /**
   * Writes the licences of the packages in one bundle beside it.
   *
   * @param {string} fileName
   * @returns {import("rolldown").Plugin[]}
   */
  write(fileName) {
    const text = () => this.text();
    return [
      this.collect(),
      {
        name: "kleinbild:write-licences",
        generateBundle() {
          this.emitFile({ type: "asset", fileName, source: text() });
        },
      },
    ];
  }

  text() {
    const packages = [...this.#folders].map((folder) => {
      /** @type {Package} */
      const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      return { folder, about };
    });
    packages.sort((a, b) => a.about.name.localeCompare(b.about.name, "en"));
    const licences = packages.map(({ folder, about }) => licence(folder, about));
    return [INTRODUCTION, ...licences].join(`\n${"-".repeat(80)}\n\n`);
  }
}

/**
 * The folder of the package in node_modules to which a module belongs.
 *
 * @param {string} id
 * @returns {string | undefined}
 */
function packageFolder(id) {
  if (id.startsWith("\0") || !id.includes("/node_modules/")) return undefined;
  let folder = dirname(id);
  while (!existsSync(join(folder, "package.json")) || !isPackage(folder)) folder = dirname(folder);
  return folder;
}

/**
 * Whether a folder is a package: a folder of node_modules or of a scope there. Deeper folders may have a package.json too,
 * which sets the module type.
 *
 * @param {string} folder
 */
function isPackage(folder) {
  return /\/node_modules\/(@[^/]+\/)?[^/]+$/.test(folder);
}

/**
 * @param {string} folder
 * @param {Package} about
 */
function licence(folder, { name, version, license, repository }) {
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file) && !/\.(js|ts|json)$/.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  const source = typeof repository === "string" ? repository : repository?.url;
  const title = [`${name} ${version}`, license ?? "see below", source].filter(Boolean).join(", ");
  return `${[title, ...texts].join("\n\n")}\n`;
}
