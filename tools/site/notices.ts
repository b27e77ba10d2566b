import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "rolldown";

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly repository?: string | { readonly url: string };
}

const NOTICE_FILE = /^(licen[cs]e|copying|notice|third.?party.?notices)/i;

const INTRODUCTION = `Kleinbild, Apache-2.0. Its models klein-nano and klein-nano-base contain artwork derived from Noto Color Emoji,
copyright Google, SIL OFL 1.1.

This page contains these packages:
`;

/** The licences of the packages whose code is in the page. Vite's `build.license` leaves out what only workers load. */
export class Notices {
  readonly #folders = new Set<string>();

  /** Takes note of the packages in a bundle: of the page, of a worker, of the service worker. */
  collect(): Plugin {
    return {
      name: "kleinbild:notices",
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

  text(): string {
    const packages = [...this.#folders].map((folder) => ({
      folder,
      about: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Package,
    }));
    packages.sort((a, b) => a.about.name.localeCompare(b.about.name, "en"));
    const notices = packages.map(({ folder, about }) => notice(folder, about));
    return [INTRODUCTION, ...notices].join(`\n${"-".repeat(80)}\n\n`);
  }
}

/** The folder of the package in node_modules to which a module belongs. */
function packageFolder(id: string): string | undefined {
  if (id.startsWith("\0") || !id.includes("/node_modules/")) return undefined;
  let folder = dirname(id);
  while (!existsSync(join(folder, "package.json")) || !isPackage(folder)) folder = dirname(folder);
  return folder;
}

/** A folder directly below node_modules, or below a scope there: others have a package.json only to say "module". */
function isPackage(folder: string): boolean {
  return /\/node_modules\/(@[^/]+\/)?[^/]+$/.test(folder);
}

function notice(folder: string, { name, version, license, repository }: Package): string {
  const files = readdirSync(folder).filter((file) => NOTICE_FILE.test(file) && !/\.(js|ts|json)$/.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").trim());
  const source = typeof repository === "string" ? repository : repository?.url;
  const title = [`${name} ${version}`, license ?? "see below", source].filter(Boolean).join(", ");
  return `${[title, ...texts].join("\n\n")}\n`;
}
