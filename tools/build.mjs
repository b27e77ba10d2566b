import { readFileSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
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

/** Workers and child processes are found by the address of a module beside the one that starts them. */
const moduleAddresses = {
  name: "module-addresses",
  transform: {
    filter: { code: /new URL\("\.\/[\w-]+\.ts", import\.meta\.url\)/ },
    /** @param {string} code */
    handler: (code) => ({
      code: code.replaceAll(/new URL\("\.\/([\w-]+)\.ts", import\.meta\.url\)/g, 'new URL("./$1.js", import.meta.url)'),
      map: null, // lines stay where they are
    }),
  },
};

/** Modules two levels below the root find the model there. */
const oneLevelDeeper = {
  name: "one-level-deeper",
  transform: {
    filter: { code: /new URL\(\s*"\.\.\// },
    /** @param {string} code */
    handler: (code) => ({ code: code.replaceAll(/(new URL\(\s*")(?=\.\.\/)/g, "$1../"), map: null }),
  },
};

/**
 * Bundles entries into a folder one level below the root, so that addresses relative to a module stay right.
 *
 * @param {string} folder
 * @param {Record<string, string>} entries  output name → source file
 * @param {readonly string[]} packages  that stay imports
 */
export async function bundle(folder, entries, packages = INSTALLED) {
  const input = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `${ROOT}${file}`]));
  const build = await rolldown({
    input,
    cwd: ROOT,
    platform: "neutral",
    resolve: { mainFields: ["module", "main"] },
    external: (id) => id.startsWith("node:") || packages.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [rawText, moduleAddresses],
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
  const build = await rolldown({
    input: { index: `${ROOT}runtime/index.ts`, worker: `${ROOT}runtime/worker.ts` },
    cwd: ROOT,
    platform: "browser",
    plugins: [rawText, moduleAddresses],
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
    "node-host": "runtime/node-host.ts",
    "service-worker": "runtime/task/service-worker.ts",
    bench: "bench/index.ts",
    "bench-worker": "bench/bench-worker.ts",
    studio: "demo/studio.ts",
  };
  await bundle("dist", entries, DECLARED);
  await cp(`${ROOT}tools/studio.d.ts`, `${ROOT}dist/types/studio.d.ts`);
  await bundleStandalone();
}

/** Modules that need no bundler, in dist/standalone/: all packages inside, workers beside, from whatever origin. */
async function bundleStandalone() {
  const licences = new Licences();
  const build = await rolldown({
    input: {
      kleinbild: `${ROOT}runtime/index.ts`,
      worker: `${ROOT}runtime/worker.ts`,
      bench: `${ROOT}bench/index.ts`,
      "bench-worker": `${ROOT}bench/bench-worker.ts`,
      studio: `${ROOT}demo/studio.ts`,
    },
    cwd: ROOT,
    platform: "browser",
    plugins: [rawText, moduleAddresses, oneLevelDeeper, licences.collect()],
    transform: {
      target: "es2023",
      inject: { Worker: [`${ROOT}runtime/any-origin-worker.ts`, "AnyOriginWorker"] },
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
