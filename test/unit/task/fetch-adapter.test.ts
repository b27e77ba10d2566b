import { describe, expect, it } from "vitest";
import { type FetchTarget, installFetchAdapter } from "../../../runtime/task/serve/fetch-adapter.ts";
import { untilAborted } from "../../support/deferred.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { TASK } from "./tasks.ts";

const HOSTED = "https://api.example.com/v1";
const INIT = { method: "POST", body: JSON.stringify([TASK]), headers: { "content-type": "application/json" } };

interface Page extends FetchTarget {
  /** What went to the network. */
  readonly asked: string[];
}

function page(): Page {
  const asked: string[] = [];
  return {
    asked,
    location: { href: "https://shop.example/app/index.html" },
    fetch: async (input) => {
      asked.push(input instanceof Request ? input.url : input.toString());
      return new Response("network");
    },
  };
}

describe("installFetchAdapter", () => {
  it.each([
    ["text", HOSTED],
    ["a URL", new URL(HOSTED)],
    ["a query", `${HOSTED}?trace=1`],
  ])("answers its address, given as %s", async (_, input) => {
    const target = page();
    installFetchAdapter(new FakeTaskRunner(), { url: HOSTED, target });
    const response = await target.fetch(input, INIT);
    expect(await response.json()).toMatchObject({ data: [{ taskUUID: TASK.taskUUID }] });
    expect(target.asked).toEqual([]);
  });

  it("answers a Request, and what else is said with it", async () => {
    const target = page();
    const runner = new FakeTaskRunner();
    installFetchAdapter(runner, { url: HOSTED, target });
    const response = await target.fetch(new Request(HOSTED, INIT), { body: JSON.stringify([TASK, TASK]) });
    expect(response.status).toBe(200);
    expect(runner.calls[0]!.tasks).toHaveLength(2);
  });

  it("takes addresses relative to the page", async () => {
    const target = page();
    installFetchAdapter(new FakeTaskRunner(), { url: "./v1/", target });
    expect((await target.fetch("v1", INIT)).status).toBe(200);
    expect((await target.fetch("https://shop.example/app/v1", INIT)).status).toBe(200);
    expect(target.asked).toEqual([]);
  });

  it.each([
    "https://api.example.com/v2",
    "https://api.example.com/v11",
    "https://api.example.com/v1/other",
    "http://api.example.com/v1",
    "https://api.example.com:8443/v1",
    "/v1",
  ])("leaves %s to the network", async (url) => {
    const target = page();
    installFetchAdapter(new FakeTaskRunner(), { url: HOSTED, target });
    expect(await (await target.fetch(url, INIT)).text()).toBe("network");
    expect(target.asked).toEqual([url]);
  });

  it("asks for a key where one is set", async () => {
    const target = page();
    installFetchAdapter(new FakeTaskRunner(), { url: HOSTED, target, apiKey: "secret" });
    expect((await target.fetch(HOSTED, INIT)).status).toBe(401);
  });

  it("rejects with the reason of the caller's signal and aborts the tasks", async () => {
    const runner = new FakeTaskRunner((_, signal) => untilAborted(signal));
    const target = page();
    installFetchAdapter(runner, { url: HOSTED, target });
    const controller = new AbortController();
    const started = runner.nextCall();
    const response = target.fetch(HOSTED, { ...INIT, signal: controller.signal });
    await started;
    controller.abort(new Error("enough"));
    await expect(response).rejects.toThrow("enough");
    expect(runner.calls[0]!.signal!.aborted).toBe(true);
  });

  it("puts the page's fetch back", async () => {
    const target = page();
    const original = target.fetch;
    const uninstall = installFetchAdapter(new FakeTaskRunner(), { url: HOSTED, target });
    expect(target.fetch).not.toBe(original);
    uninstall();
    expect(target.fetch).toBe(original);
  });

  it("lets requests pass when something else has wrapped it meanwhile", async () => {
    const target = page();
    const uninstall = installFetchAdapter(new FakeTaskRunner(), { url: HOSTED, target });
    const adapted = target.fetch;
    const wrapper: typeof fetch = (input, init) => adapted(input, init);
    target.fetch = wrapper;
    uninstall();
    expect(target.fetch).toBe(wrapper);
    expect(await (await target.fetch(HOSTED, INIT)).text()).toBe("network");
  });
});
