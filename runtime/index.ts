export { createKleinbild, type KleinbildOptions } from "./client.ts";
export { type ModelsOptions, openModels } from "./client-models.ts";
export { createTaskRunner } from "./client-tasks.ts";
export * from "./common.ts";
export { type FetchAdapterOptions, installFetchAdapter } from "./task/fetch-adapter.ts";
export { answerServiceWorker } from "./task/service-worker-page.ts";
export type { ModelInput } from "./page-worker.ts";
export { checkSupport, type Support } from "./support.ts";
