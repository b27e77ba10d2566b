export { createKleinbild, type KleinbildOptions } from "./page/create-kleinbild.ts";
export { type ModelsOptions, openModels } from "./page/open-models.ts";
export { createTaskRunner } from "./page/create-task-runner.ts";
export * from "./common.ts";
export { type FetchAdapterOptions, type FetchTarget, installFetchAdapter } from "./task/serve/fetch-adapter.ts";
export { answerServiceWorker, type ServiceWorkerSource } from "./task/serve/service-worker-page.ts";
export type { ModelInput } from "./page/start-worker.ts";
export { checkSupport, type Support } from "./page/check-support.ts";
