/** Import rules: the layers that ARCHITECTURE.md draws. Imports go down; what stands beside each other stays apart. */

/** What a file may lie in, from the top down: a layer imports only layers below it. Folders of one layer stay apart. */
const LAYERS = [
  ["demo", "tools", "test"],
  ["bench"],
  ["runtime/(index|node|worker|common)\\.ts"],
  ["runtime/page", "runtime/node"],
  ["runtime/task/serve"],
  ["runtime/task/runner"],
  ["runtime/task/media"],
  ["runtime/task/net"],
  ["runtime/task/schema"],
  ["runtime/remote"],
  ["runtime/models"],
  ["runtime/engine"],
  ["runtime/memory-plan"],
  ["runtime/request"],
  ["runtime/pipeline"],
  ["runtime/loaded-model"],
  ["runtime/events\\.ts"],
  ["runtime/autotune"],
  ["runtime/text", "runtime/transformer", "runtime/sampling", "runtime/vae", "runtime/image"],
  ["runtime/weights"],
  ["runtime/backend"],
  ["runtime/gpu"],
  ["kernels"],
  ["runtime/validation", "runtime/async"],
  ["runtime/errors\\.ts"],
];
/** Where Node's modules may be imported. */
const NODE = "^runtime/node(/|\\.ts$)";

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** @param {readonly string[]} members */
const anyOf = (members) => `^(${members.join("|")})(/|$)`;

/** No member of a layer imports a layer above it, or another member of its own. */
const layerRules = LAYERS.flatMap((layer, depth) => {
  const above = LAYERS.slice(0, depth).flat();
  const rules =
    above.length === 0
      ? []
      : [
          forbid(
            `below-${LAYERS[depth - 1]?.join("-")}`,
            "Imports go down.",
            { path: anyOf(layer) },
            { path: anyOf(above) },
          ),
        ];
  if (depth < 2 || layer.length < 2) return rules;
  const apart = layer.map((member) =>
    forbid(
      `apart-${member}`,
      "They meet in a layer above.",
      { path: anyOf([member]) },
      { path: anyOf(layer.filter((other) => other !== member)) },
    ),
  );
  return [...rules, ...apart];
});

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    forbid("no-cycles", "A cycle has no bottom to start reading from.", {}, { circular: true }),
    forbid("resolvable", "Every import must be found.", {}, { couldNotResolve: true }),
    ...layerRules,
    forbid(
      "users-see-the-package",
      "The demo and the command line see what users see.",
      { path: "^(demo|tools/cli)/" },
      { path: "^(runtime|kernels|bench)/", pathNot: "^(runtime/(index|node)|bench/index)\\.ts$" },
    ),
    forbid(
      "comlink-in-one-place",
      "One file knows the worker protocol.",
      { pathNot: "^runtime/remote/comlink-port\\.ts$" },
      { path: "node_modules/comlink/" },
    ),
    forbid(
      "onnxruntime-behind-the-seam",
      "It is one backend of several.",
      { pathNot: "^runtime/backend/ort/" },
      { path: "node_modules/onnxruntime-web/" },
    ),
    forbid(
      "browsers-have-no-node",
      "What a page loads must not import Node's modules.",
      { path: "^(runtime|bench)/", pathNot: NODE },
      { dependencyTypes: ["core"] },
    ),
    forbid(
      "browsers-reach-no-node",
      "Nor reach a file that does.",
      { path: "^(runtime/(index|worker)|bench/(index|bench-worker))\\.ts$" },
      { path: NODE, reachable: true },
    ),
    forbid(
      "declared-packages",
      "What the package imports is among its dependencies.",
      { path: "^(runtime|bench)/" },
      { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "node_modules/(webgpu|sharp|@webgpu)/" },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "browser", "node", "default"] },
  },
};
