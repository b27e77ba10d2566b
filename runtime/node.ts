export { createKleinbild, type KleinbildNodeOptions } from "./node/create-kleinbild.ts";
export { type NodeModelsOptions, openModels } from "./node/open-models.ts";
export type { NodeModel } from "./node/location.ts";
export type { NodeEngineOptions } from "./node/platform.ts";
export { createTaskRunner } from "./node/create-task-runner.ts";
export { FileUrls } from "./node/file-urls.ts";
export { guardedFetch, type GuardOptions, type LookupAll } from "./node/guarded-fetch.ts";
export * from "./common.ts";
