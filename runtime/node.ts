export { createKleinbild, type KleinbildNodeOptions } from "./node-client.ts";
export { type NodeModelsOptions, openModels } from "./node-models.ts";
export type { NodeModel } from "./node-place.ts";
export { createTaskRunner } from "./node-tasks.ts";
export { FileUrls } from "./task/node-media-url.ts";
export { guardedFetch, type GuardOptions } from "./task/node-guarded-fetch.ts";
export * from "./common.ts";
