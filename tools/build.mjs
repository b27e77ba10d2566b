import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { Licences } from "./licences.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const { dependencies, peerDependencies, devDependencies } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
/** Packages that whoever installs this one has. */
const DECLARED = Object.keys({ ...dependencies, ...peerDependencies });
const INSTALLED = [...DECLARED, ...Object.keys(devDependencies)];

/** `import source from "./kernel.wgsl?raw"` gives the text, as in Vite. */
const rawText = {
  name: "raw-text",
  resolveId: {
    filter: { id: /\?raw$/ },
    /**
     * @param {string} id
     * @param {string | undefined} importer
     */
    handler: (id, importer) => fileURLToPath(new URL(id, `file://${importer}`)) + "?raw",
  },
  load: {
    filter: { id: /\?raw$/ },
    /** @param {string} id */
    handler: (id) => `export default ${JSON.stringify(readFileSync(id.slice(0, -"?raw".length), "utf8"))};`,
  },
};

/**
 * Rewrites `new URL("…", import.meta.url)` for modules in an output folder: another entry becomes the module beside it, a
 * file of the repository is found from there.
 *
 * @param {Readonly<Record<string, string>>} entries  output name → source file
 * @param {string} folder  of the modules, in the repository
 */
const moduleAddresses = (entries, folder) => ({
  name: "module-addresses",
  transform: {
    filter: { code: /new URL\(\s*"\.{1,2}[/"]/ },
    /**
     * @param {string} code
     * @param {string} id
     */
    handler: (code, id) => ({
      code: code.replaceAll(/(?<=new URL\(\s*")(\.{1,2}(?:\/[^"]*)?)(?=",\s*import\.meta\.url)/g, (address) => {
        const file = relative(ROOT, resolve(dirname(id), address));
        const [name] = Object.entries(entries).find(([, source]) => source === file) ?? [];
        if (name !== undefined) return `./${name}.js`;
        return `${relative(folder, file)}${address.endsWith("/") ? "/" : ""}`;
      }),
      map: null, // lines stay where they are
    }),
  },
});

/** @param {Readonly<Record<string, string>>} entries */
const inputs = (entries) => Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `${ROOT}${file}`]));

/**
 * Bundles entries into a folder one level below the root, so that addresses relative to a module stay right.
 *
 * @param {string} folder
 * @param {Record<string, string>} entries  output name → source file
 * @param {readonly string[]} packages  that stay imports
 */
export async function bundle(folder, entries, packages = INSTALLED) {
  const build = await rolldown({
    input: inputs(entries),
    cwd: ROOT,
    platform: "neutral",
    resolve: { mainFields: ["module", "main"] },
    external: (id) => id.startsWith("node:") || packages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [rawText, moduleAddresses(entries, folder)],
    transform: { target: "es2023" },
    logLevel: "warn",
  });
  try {
    await build.write({ dir: `${ROOT}${folder}`, chunkFileNames: "[name]-[hash].js", sourcemap: true });
  } finally {
    await build.close();
  }
}

/**
 * The modules that a page loads for the package's entry and its worker, minified, with all that they import. `onDemand` are
 * those that only onnxruntime's backend asks for.
 *
 * @returns {Promise<{ name: string, code: string, onDemand: boolean }[]>}
 */
export async function bundlePage() {
  const entries = { index: "runtime/index.ts", worker: "runtime/worker.ts" };
  const build = await rolldown({
    input: inputs(entries),
    cwd: ROOT,
    platform: "browser",
    plugins: [rawText, moduleAddresses(entries, "dist")],
    transform: { target: "es2023" },
    logLevel: "warn",
  });
  try {
    const { output } = await build.generate({ minify: true });
    const chunks = output.filter((file) => file.type === "chunk");
    /** @type {Set<string>} */
    const needed = new Set();
    /** @param {string} name */
    const visit = (name) => {
      if (needed.has(name)) return;
      needed.add(name);
      for (const other of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) visit(other);
    };
    for (const { fileName, isEntry } of chunks) if (isEntry) visit(fileName);
    return chunks.map(({ fileName, code }) => ({ name: fileName, code, onDemand: !needed.has(fileName) }));
  } finally {
    await build.close();
  }
}

/** The package's modules, in dist/. */
export async function buildPackage() {
  await rm(`${ROOT}dist`, { recursive: true, force: true });
  const entries = {
    index: "runtime/index.ts",
    worker: "runtime/worker.ts",
    node: "runtime/node.ts",
    "node-host": "runtime/node/host.ts",
    "service-worker": "runtime/task/serve/service-worker.ts",
    bench: "bench/index.ts",
    "bench-worker": "bench/bench-worker.ts",
    studio: "demo/studio.ts",
  };
  await bundle("dist", entries, DECLARED);
  await bundleStandalone();
}

/** Modules that need no bundler, in dist/standalone/: all packages inside, workers beside, from whatever origin. */
async function bundleStandalone() {
  const licences = new Licences();
  const entries = {
    kleinbild: "runtime/index.ts",
    worker: "runtime/worker.ts",
    bench: "bench/index.ts",
    "bench-worker": "bench/bench-worker.ts",
    studio: "demo/studio.ts",
  };
  const build = await rolldown({
    input: inputs(entries),
    cwd: ROOT,
    platform: "browser",
    plugins: [rawText, moduleAddresses(entries, "dist/standalone"), licences.collect()],
    transform: {
      target: "es2023",
      inject: { Worker: [`${ROOT}runtime/page/any-origin-worker.ts`, "AnyOriginWorker"] },
    },
    logLevel: "warn",
  });
  try {
    await build.write({ dir: `${ROOT}dist/standalone`, chunkFileNames: "[name]-[hash].js", minify: true });
    await writeFile(`${ROOT}dist/standalone/LICENCES.txt`, licences.text());
  } finally {
    await build.close();
  }
}
