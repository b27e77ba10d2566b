/** Import rules: what ARCHITECTURE.md draws as layers. Imports go down, parts do not know each other. */

const PARTS = "text|transformer|sampling|vae|image";

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    forbid("no-cycles", "A cycle has no bottom to start reading from.", {}, { circular: true }),
    forbid("resolvable", "Every import must be found.", {}, { couldNotResolve: true }),
    forbid(
      "parts-apart",
      "Text, transformer, sampling, VAE and image meet in the pipeline only.",
      { path: `^runtime/(${PARTS})/` },
      { path: `^runtime/(${PARTS})/`, pathNot: "^runtime/$1/" },
    ),
    forbid(
      "parts-below-engine",
      "A part knows weights, the dense seam and the GPU layer.",
      { path: `^runtime/(${PARTS})/` },
      { path: "^runtime/", pathNot: `^runtime/((${PARTS}|weights|backend|gpu)/|errors)` },
    ),
    forbid(
      "weights-below-parts",
      "Weights go to the GPU in the layouts of the dense seam.",
      { path: "^runtime/weights/" },
      { path: "^runtime/", pathNot: "^runtime/((weights|backend|gpu)/|errors)" },
    ),
    forbid(
      "backend-below-weights",
      "The dense seam knows the GPU layer only.",
      { path: "^runtime/backend/" },
      { path: "^runtime/", pathNot: "^runtime/((backend|gpu)/|errors)" },
    ),
    forbid(
      "gpu-at-the-bottom",
      "The GPU layer knows nothing of models.",
      { path: "^runtime/gpu/" },
      { path: "^runtime/", pathNot: "^runtime/(gpu/|errors)" },
    ),
    forbid("kernels-alone", "Kernels are data.", { path: "^kernels/" }, { path: "^(runtime|tools|demo|bench|test)/" }),
    forbid(
      "package-alone",
      "The package knows nothing of what uses it.",
      { path: "^runtime/" },
      { path: "^(tools|demo|bench|test)/" },
    ),
    forbid(
      "users-see-the-package",
      "The demo and the command line see what users see.",
      { path: "^(demo|tools/cli)/" },
      { path: "^(runtime|kernels|bench)/", pathNot: "^(runtime/(index|node)|bench/index)\\.ts$" },
    ),
    forbid(
      "comlink-in-one-place",
      "One file knows the worker protocol.",
      { pathNot: "^runtime/rpc\\.ts$" },
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
      {
        path: "^(runtime|bench)/",
        pathNot: "(^bench/node/.*|node[\\w-]*|process-endpoint|folder-source|codec-node|gpu/dawn)\\.ts$",
      },
      { dependencyTypes: ["core"] },
    ),
    forbid(
      "browsers-reach-no-node",
      "Nor reach a file that does.",
      { path: "^(runtime/(index|worker)|bench/(index|bench-worker))\\.ts$" },
      {
        path: "(^bench/node/.*|node[\\w-]*|process-endpoint|folder-source|codec-node|gpu/dawn)\\.ts$",
        reachable: true,
      },
    ),
    forbid(
      "declared-packages",
      "What the package imports is among its dependencies.",
      { path: "^(runtime|bench)/", pathNot: "^bench/node/" },
      { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "node_modules/(webgpu|sharp|@webgpu)/" },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^tools/studio\\.d\\.ts$" }, // copied into dist/types, where its imports are
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "browser", "node", "default"] },
  },
};
