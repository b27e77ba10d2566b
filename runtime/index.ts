export { createKleinbild, type KleinbildOptions } from "./client.ts";
export { createTaskRunner } from "./client-tasks.ts";
export * from "./common.ts";
export { checkSupport, type Support } from "./support.ts";
