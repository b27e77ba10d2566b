/**
 * FLUX.2 [klein] in a page: makes and edits pictures on WebGPU, in a worker that this package starts.
 *
 * @example
 * ```ts
 * import { createKleinbild } from "kleinbild";
 *
 * const engine = await createKleinbild();
 * const { image } = await engine.generate({ prompt: "a fox on a teal background", seed: 7 }).result;
 * const blob = await image.toBlob();
 * await engine.dispose();
 * ```
 *
 * @module kleinbild
 * @packageDocumentation
 */

export { createKleinbild, type KleinbildOptions } from "./page/create-kleinbild.ts";
export { type ModelsOptions, openModels } from "./page/open-models.ts";
export { createTaskRunner } from "./page/create-task-runner.ts";
export * from "./common.ts";
export { type FetchAdapterOptions, type FetchTarget, installFetchAdapter } from "./task/serve/fetch-adapter.ts";
export { answerServiceWorker, type ServiceWorkerSource } from "./task/serve/service-worker-page.ts";
export type { ModelInput } from "./page/start-worker.ts";
export { checkSupport, type Support, type Supported, type Unsupported } from "./page/check-support.ts";
