import { createFetchHandler } from "../../../runtime/task/serve/fetch-handler.ts";
import { answerServiceWorker } from "../../../runtime/task/serve/service-worker-page.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";

/** What tests call in the page. */
export interface ServiceWorkerPage {
  /** Registers the worker and waits until it controls the page. */
  register(): Promise<void>;
  /** This page keeps the engine from now on. */
  answer(): void;
  ask(task: object): Promise<{ readonly status: number; readonly body: unknown }>;
}

const URL_V1 = "https://api.example.com/v1";

const page: ServiceWorkerPage = {
  async register() {
    const controlled = new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
    });
    await navigator.serviceWorker.register("./worker.ts", { type: "module" });
    if (!navigator.serviceWorker.controller) await controlled;
  },

  answer() {
    answerServiceWorker(createFetchHandler(new FakeTaskRunner()));
  },

  async ask(task) {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(URL_V1, { method: "POST", headers, body: JSON.stringify([task]) });
    return { status: response.status, body: await response.json() };
  },
};

Object.assign(globalThis, { kleinbildPage: page });
