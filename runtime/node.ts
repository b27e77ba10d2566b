/**
 * The same engine in Node, on Dawn. It needs the packages `webgpu` and `sharp`.
 *
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { createKleinbild } from "kleinbild/node";
 *
 * const engine = await createKleinbild({ model: "/models/klein-4b" });
 * const { image } = await engine.generate({ prompt: "a fox on a teal background", seed: 7 }).result;
 * const { bytes } = await image.encode({ type: "image/png" });
 * await writeFile("fox.png", bytes);
 * await engine.dispose();
 * ```
 *
 * @module kleinbild/node
 * @packageDocumentation
 */

export { createKleinbild, type KleinbildNodeOptions } from "./node/create-kleinbild.ts";
export { type NodeModelsOptions, openModels } from "./node/open-models.ts";
export type { NodeModel } from "./node/location.ts";
export type { NodeEngineOptions } from "./node/platform.ts";
export { createTaskRunner } from "./node/create-task-runner.ts";
export { FileUrls } from "./node/file-urls.ts";
export { guardedFetch, type GuardOptions, type LookupAll } from "./node/guarded-fetch.ts";
export * from "./common.ts";
