export { createKleinbild, type KleinbildOptions } from "./client.ts";
export { createTaskRunner } from "./client-tasks.ts";
export * from "./common.ts";
export { type FetchAdapterOptions, installFetchAdapter } from "./task/fetch-adapter.ts";
export { answerServiceWorker } from "./task/service-worker-page.ts";
export { checkSupport, type Support } from "./support.ts";
