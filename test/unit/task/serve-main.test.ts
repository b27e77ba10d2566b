import { afterEach, describe, expect, it, vi } from "vitest";
import { KleinbildError } from "../../../runtime/errors.ts";
import { MediaStore } from "../../../runtime/task/media/media-store.ts";
import { serveArguments, type ServeArguments } from "../../../tools/serve/arguments.ts";
import { type MakeRunner, type RunnerContext, serve } from "../../../tools/serve/main.ts";
import { startServer } from "../../../tools/serve/server.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { TASK } from "./tasks.ts";

afterEach(() => void vi.restoreAllMocks());

/** @throws with commander's message instead of ending the process */
function parse(...argv: readonly string[]): ServeArguments {
  const quiet = { writeErr: () => {}, writeOut: () => {} };
  const command = serveArguments().exitOverride().configureOutput(quiet);
  return command.parse(argv, { from: "user" }).opts<ServeArguments>();
}

interface Running {
  readonly status: Promise<number>;
  readonly url: string;
  readonly context: RunnerContext;
  readonly disposed: () => boolean;
  readonly stop: () => Promise<number>;
}

/** Starts a server as the command line does, and waits for its address. */
async function start(...argv: readonly string[]): Promise<Running> {
  const controller = new AbortController();
  let context: RunnerContext | undefined;
  let disposed = false;
  const makeRunner: MakeRunner = async (given) => {
    context = given;
    const dispose = async (): Promise<void> => void (disposed = true);
    return { runner: new FakeTaskRunner(), media: new MediaStore({ urls: given.urls }), dispose };
  };
  const said = new Promise<string>((resolve) => {
    vi.spyOn(process.stderr, "write").mockImplementation((text) => (resolve(String(text)), true));
  });
  const status = serve(parse("--port", "0", ...argv), makeRunner, { signal: controller.signal });
  const url = /https?:\S+/.exec(await said)![0];
  const stop = (): Promise<number> => (controller.abort(), status);
  return { status, url, context: context!, disposed: () => disposed, stop };
}

describe("kleinbild serve", () => {
  it("has defaults", () => {
    expect(parse()).toMatchObject({
      port: 8080,
      host: "127.0.0.1",
      allowOrigin: [],
      allowPrivateReferences: false,
    });
  });

  it("takes everything that it names", () => {
    const argv = "--port 1 --host [::1] --api-key k --allow-origin https://a.example http://b.example:81 --model x";
    expect(parse(...argv.split(" "), "--dtype", "f32", "--public-url", "https://p.example/api/v1")).toMatchObject({
      port: 1,
      host: "::1",
      apiKey: "k",
      allowOrigin: ["https://a.example", "http://b.example:81"],
      model: "x",
      dtype: "f32",
      publicUrl: "https://p.example/api/v1",
    });
  });

  it("reads the key from the environment", () => {
    vi.stubEnv("KLEINBILD_API_KEY", "from outside");
    expect(() => parse()).toThrow(/A key without spaces/);
    vi.stubEnv("KLEINBILD_API_KEY", "outside");
    expect(parse().apiKey).toBe("outside");
    expect(parse("--api-key", "inside").apiKey).toBe("inside");
    vi.unstubAllEnvs();
  });

  it.each([
    [["--port", "65536"], /whole number of 0 to 65535/],
    [["--port", "-1"], /whole number of 0 to 65535/],
    [["--host", ""], /An address or a name/],
    [["--host", "a/b"], /An address or a name/],
    [["--api-key", ""], /A key without spaces/],
    [["--allow-origin", "https://a.example/"], /without a path/],
    [["--allow-origin", "a.example"], /An origin such as/],
    [["--public-url", "https://a.example/v2"], /ending in \/v1/],
    [["--public-url", "ftp://a.example/v1"], /ending in \/v1/],
    [["--dtype", "f8"], /Allowed choices are f32, f16/],
    [["--verbose"], /unknown option/],
    [["tasks.json"], /too many arguments/],
  ] as const)("refuses %j", (argv, message) => {
    expect(() => parse(...argv)).toThrow(message);
  });

  it("serves, says where, and ends with 0 when stopped", async () => {
    const { url, stop, disposed } = await start();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    const headers = { "content-type": "application/json" };
    expect((await fetch(url, { method: "POST", headers, body: JSON.stringify(TASK) })).status).toBe(200);
    expect(await stop()).toBe(0);
    expect(disposed()).toBe(true);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });

  it("ends with 0 at SIGTERM, and listens to none afterwards", async () => {
    const before = process.listenerCount("SIGTERM");
    const { status } = await start();
    process.emit("SIGTERM");
    expect(await status).toBe(0);
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });

  it("gives pictures the address by which clients reach it", async () => {
    const own = await start();
    const store = new MediaStore({ urls: own.context.urls });
    const { uuid } = store.put(new Uint8Array([1]), "image/jpeg");
    expect(store.urlOf(uuid)).toBe(`${own.url}/media/${uuid}.jpg`);
    await own.stop();
    const named = await start("--public-url", "https://pictures.example/v1");
    const other = new MediaStore({ urls: named.context.urls });
    expect(other.urlOf(other.put(new Uint8Array([1]), "image/jpeg").uuid)).toMatch(
      /^https:\/\/pictures\.example\/v1\/m/,
    );
    await named.stop();
  });

  it("is 1 for an address without a key, before a model is loaded", async () => {
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const makeRunner = vi.fn<MakeRunner>();
    expect(await serve(parse("--host", "0.0.0.0"), makeRunner)).toBe(1);
    expect(said.mock.calls.join("")).toMatch(/--api-key or KLEINBILD_API_KEY/);
    expect(makeRunner).not.toHaveBeenCalled();
  });

  it("is 2 when there is no runner, 1 when the model was named wrongly or the port is taken", async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const failing =
      (error: Error): MakeRunner =>
      () =>
        Promise.reject(error);
    expect(await serve(parse(), failing(new KleinbildError("no-webgpu", "No GPU.")))).toBe(2);
    expect(await serve(parse(), failing(new KleinbildError("invalid-request", "No such model.")))).toBe(1);
    const taken = await startServer({ runner: new FakeTaskRunner(), port: 0 });
    const { port } = new URL(taken.url);
    expect(await serve(parse("--port", port), async () => ({ runner: new FakeTaskRunner() }))).toBe(1);
    await taken.close();
  });
});

describe("the addresses that the server fetches for its clients", () => {
  const refused = { code: "network", details: { reason: "refused" } };

  it("may be on its own machine where only that reaches the server, but not in its network", async () => {
    const { url, context, stop } = await start();
    expect((await context.fetch(url, {})).status).toBe(405);
    for (const address of ["http://169.254.169.254/", "http://10.0.0.1/", "http://[fe80::1]/", "http://192.168.0.1/"])
      await expect(context.fetch(address, {})).rejects.toMatchObject(refused);
    await stop();
  });

  it("is on the public internet only where others reach the server", async () => {
    const { context, stop } = await start("--host", "0.0.0.0", "--api-key", "k");
    await expect(context.fetch("http://127.0.0.1:9/", {})).rejects.toMatchObject(refused);
    await expect(context.fetch("http://localhost:9/", {})).rejects.toMatchObject(refused);
    await stop();
  });

  it("may be anywhere when that is asked for", async () => {
    const { url, context, stop } = await start("--host", "0.0.0.0", "--api-key", "k", "--allow-private-references");
    const { port } = new URL(url);
    expect((await context.fetch(`http://127.0.0.1:${port}/v1`, {})).status).toBe(405);
    await stop();
  });
});
