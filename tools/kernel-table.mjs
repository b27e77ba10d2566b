import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Writes kernels/index.ts, the table of kernels, from the WGSL files: `npm run kernels`. It relies on the form that
 * kernels/README.md prescribes; test/unit/kernels.test.ts compares the table with what a WGSL parser finds.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const KERNELS = `${ROOT}kernels/`;
const TABLE = `${KERNELS}index.ts`;

const names = wgslFiles(KERNELS);
writeFileSync(
  TABLE,
  [
    "// Written by `npm run kernels` from the WGSL files. Do not edit.",
    ...names.map((name) => `import ${camelCase(name)}Source from "./${name}.wgsl?raw";`),
    'import type { Kernel } from "./kernel.ts";',
    "",
    ...names.map(entry),
    "/** Every kernel. */",
    `export const KERNELS: readonly Kernel[] = [${names.map(camelCase).join(", ")}];`,
    "",
  ].join("\n"),
);
process.exit(spawnSync(process.execPath, [`${ROOT}node_modules/oxfmt/bin/oxfmt`, TABLE], { stdio: "inherit" }).status);

/** @param {string} folder */
function wgslFiles(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".wgsl"))
    .map((file) => file.slice(0, -".wgsl".length))
    .toSorted();
}

/** @param {string} name */
function camelCase(name) {
  return name.replaceAll(/-(.)/g, (_dash, letter) => letter.toUpperCase());
}

/** @param {string} name */
function entry(name) {
  const file = readFileSync(`${KERNELS}${name}.wgsl`, "utf8");
  const source = file.replaceAll(/^\/\/#include "(.*)"$/gm, (_line, include) =>
    readFileSync(`${KERNELS}include/${include}.wgsl`, "utf8"),
  );
  const table = {
    name,
    workgroupSize: workgroupSize(source),
    bindings: pairs(source, /^@group\(0\) @binding\(\d+\) var<storage, (\w+)> (\w+):/gm, ([access, binding]) => [
      binding,
      access,
    ]),
    parameters: pairs(parametersOf(name, source), /^ {2}(\w+): (\w+),$/gm, ([parameter, type]) => [parameter, type]),
    overrides: pairs(source, /^override (\w+): u32 = (\d+);/gm, ([override, value]) => [override, Number(value)]),
  };
  const members = Object.entries(table).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  const [first, ...others] = members;
  const object = `{ ${[first, `source: ${camelCase(name)}Source`, ...others].join(", ")} }`;
  return `/** ${summary(file)} */\nexport const ${camelCase(name)} = ${object} as const satisfies Kernel;\n`;
}

/** @param {string} name @param {string} source */
function parametersOf(name, source) {
  const members = /^struct Parameters \{\n([^}]*)\}$/m.exec(source)?.[1];
  if (members === undefined) throw new Error(`kernels/${name}.wgsl has no struct Parameters.`);
  return members;
}

/**
 * The matches of a declaration as an object in the order of the source.
 *
 * @param {string} source @param {RegExp} declaration
 * @param {(groups: string[]) => (string | number | undefined)[]} pair
 */
function pairs(source, declaration, pair) {
  return Object.fromEntries([...source.matchAll(declaration)].map(([, ...groups]) => pair(groups)));
}

/** The invocations of a workgroup: a number, or a WGSL expression of overrides. @param {string} source */
function workgroupSize(source) {
  const constants = new Map([...source.matchAll(/^const (\w+) = (\d+)u;/gm)].map(([, name, value]) => [name, value]));
  const [, declared = ""] = /@workgroup_size\((.*)\)\nfn main\(/.exec(source) ?? [];
  const size = declared.replaceAll(/(\d+)u\b/g, "$1").replaceAll(/\w+/g, (word) => constants.get(word) ?? word);
  return /^\d+$/.test(size) ? Number(size) : size;
}

/** The first sentence of the comment that a file begins with. @param {string} file */
function summary(file) {
  const comment = /^(?:\/\/ .*\n)+/.exec(file)?.[0] ?? "";
  return /^.*?\.(?=\s|$)/.exec(comment.replaceAll(/^\/\/ /gm, "").replaceAll("\n", " "))?.[0] ?? "";
}
