import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine, EngineEvent, EngineInfo } from "../../runtime/engine/engine.ts";
import { KleinbildError } from "../../runtime/errors.ts";
import type { LoadEvent, StepEvent } from "../../runtime/events.ts";
import { runRemote } from "../../runtime/remote/run-remote.ts";
import { WorkHost } from "../../runtime/remote/work-host.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import { connectHost, type Endpoint, exposeHost } from "../../runtime/remote/comlink-port.ts";
import { EngineHost, pixelsToMove } from "../../runtime/remote/engine-host.ts";
import { packError, unpackError } from "../../runtime/remote/error-envelope.ts";
import type { EngineWork, Pulled, RemoteHost } from "../../runtime/remote/protocol.ts";

/** An error as it is after the structured clone that a port makes. */
function crossed(error: unknown): Error {
  return unpackError(structuredClone(packError(error)));
}

describe("an error that crosses", () => {
  it("keeps class, code, message, details, stack and cause", () => {
    const cause = new TypeError("not a function");
    const details = { parameter: "width", nearest: 1008, known: ["a", "b"], off: null, ok: true };
    const error = new KleinbildError("invalid-request", "width must be …", details, { cause });
    const arrived = crossed(error);
    expect(arrived).toBeInstanceOf(KleinbildError);
    expect(arrived).toMatchObject({
      name: "KleinbildError",
      code: "invalid-request",
      message: "width must be …",
      details,
      stack: error.stack,
    });
    expect(arrived.cause).toBeInstanceOf(Error);
    expect(arrived.cause).toMatchObject({ name: "TypeError", message: "not a function", stack: cause.stack });
  });

  it("of another class is an Error of that name, without code and details", () => {
    const error = new RangeError("too far");
    const arrived = crossed(error);
    expect(arrived).not.toBeInstanceOf(KleinbildError);
    expect(arrived).toBeInstanceOf(Error);
    expect(arrived).toMatchObject({ name: "RangeError", message: "too far", stack: error.stack });
    expect(arrived).not.toHaveProperty("code");
    expect(arrived.cause).toBeUndefined();
  });

  it("that a DOMException is keeps its name", () =>
    expect(crossed(new DOMException("stopped", "AbortError"))).toMatchObject({
      name: "AbortError",
      message: "stopped",
    }));

  it("keeps causes of causes, with their classes", () => {
    const root = new Error("no such file");
    const middle = new KleinbildError("missing-file", "the model lacks a file", { path: "x" }, { cause: root });
    const arrived = crossed(new KleinbildError("internal", "loading failed", {}, { cause: middle }));
    expect(arrived.cause).toBeInstanceOf(KleinbildError);
    expect(arrived.cause).toMatchObject({ code: "missing-file", details: { path: "x" } });
    expect((arrived.cause as Error).cause).toMatchObject({ name: "Error", message: "no such file" });
  });

  it("without a cause arrives without one", () =>
    expect(crossed(new KleinbildError("internal", "x"))).not.toHaveProperty("cause"));

  it.each([
    ["a string", "stopped", "stopped"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a number", 7, "7"],
  ])("though it is %s arrives as an Error with that message", (_, thrown, message) => {
    const arrived = crossed(thrown);
    expect(arrived).toBeInstanceOf(Error);
    expect(arrived).toMatchObject({ name: "Error", message });
  });

  it("has a cause that is no Error as an Error with that message", () =>
    expect(crossed(new Error("outer", { cause: "reset" })).cause).toMatchObject({ name: "Error", message: "reset" }));
});

/** The first pull of work under an id of its own. */
async function run<Work>(host: RemoteHost<Work>, work: Work): Promise<Pulled<unknown, unknown>> {
  await host.start(1000, work);
  return host.next(1000);
}

/** The error that a pull gave. */
function failureOf(pulled: Pulled<unknown, unknown>): Error {
  if (pulled.kind !== "error") throw new Error(`the pull gave ${pulled.kind}`);
  return unpackError(pulled.error);
}

const INFO = { model: { name: "nano" }, dtype: "f32" } as unknown as EngineInfo;
const REQUEST: GenerateRequest = { prompt: "a fox", seed: 2n ** 60n };
const PROGRESS: readonly LoadEvent[] = [1, 2, 3].map((loadedBytes) => ({
  type: "load",
  stage: "gpu",
  part: "vae",
  loadedBytes,
  totalBytes: 3,
}));
const STEP: StepEvent = { type: "step", result: 0, step: 1, steps: 1, sigma: 1, milliseconds: 5 };

interface FakeEngine {
  readonly engine: Engine;
  /** Calls, in order. */
  readonly calls: string[];
  readonly requests: GenerateRequest[];
}

/** An engine that yields one step and, unless `failure` is given, a picture of 2 x 1 pixels. */
function fakeEngine(failure?: Error): FakeEngine {
  const calls: string[] = [];
  const requests: GenerateRequest[] = [];
  const engine = {
    info: INFO,
    async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
      requests.push(request);
      try {
        yield STEP;
        signal?.throwIfAborted();
        if (failure) throw failure;
        const image = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255) };
        yield { type: "result", result: 0, image, metadata: {}, report: {} } as unknown as EngineEvent;
      } finally {
        calls.push("run ended");
      }
    },
    dispose: async (): Promise<void> => void calls.push("disposed"),
  };
  return { engine: engine as unknown as Engine, calls, requests };
}

describe("an engine behind a port", () => {
  const ports: MessagePort[] = [];
  afterEach(() => {
    for (const port of ports.splice(0)) port.close();
  });

  /** The proxy of a host at the other end of a channel. */
  function connect<Options>(host: EngineHost<Options>): RemoteHost<EngineWork<Options>> {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    exposeHost(host, pixelsToMove, port1 as unknown as Endpoint);
    return connectHost<EngineWork<Options>>(port2 as unknown as Endpoint);
  }

  /** A proxy whose engine is open. */
  async function opened(engine: Engine): Promise<RemoteHost<EngineWork<null>>> {
    const proxy = connect(new EngineHost<null>(async () => engine));
    await proxy.start(1, { kind: "open", options: null });
    expect(await proxy.next(1)).toEqual({ kind: "result", result: INFO });
    return proxy;
  }

  it("is created with the options given, reports progress and ends with its info", async () => {
    let given: unknown;
    let proceed = (): void => {};
    const proxy = connect(
      new EngineHost<{ readonly dtype: string }>(async (options, _, onLoad) => {
        given = options;
        onLoad(PROGRESS[0]!);
        await new Promise<void>((resolve) => (proceed = resolve));
        onLoad(PROGRESS[1]!);
        return fakeEngine().engine;
      }),
    );
    await proxy.start(1, { kind: "open", options: { dtype: "f16" } });
    expect(await proxy.next(1)).toEqual({ kind: "event", event: PROGRESS[0] });
    const next = proxy.next(1);
    proceed();
    expect(await next).toEqual({ kind: "event", event: PROGRESS[1] });
    expect(await proxy.next(1)).toEqual({ kind: "result", result: INFO });
    expect(given).toEqual({ dtype: "f16" });
    expect(await run(proxy, { kind: "info" })).toEqual({ kind: "result", result: INFO });
  });

  it("reports the newest progress where several came between two pulls, the last one always", async () => {
    const proxy = connect(
      new EngineHost<null>(async (_options, _signal, onLoad) => {
        for (const event of PROGRESS) onLoad(event);
        return fakeEngine().engine;
      }),
    );
    await proxy.start(1, { kind: "open", options: null });
    expect(await proxy.next(1)).toEqual({ kind: "event", event: PROGRESS[2] });
    expect(await proxy.next(1)).toEqual({ kind: "result", result: INFO });
  });

  it("reports the last progress when loading ended before it was pulled", async () => {
    let finish = (): void => {};
    const ended = new Promise<void>((resolve) => (finish = resolve));
    const proxy = connect(
      new EngineHost<null>(async (_options, _signal, onLoad) => {
        onLoad(PROGRESS[0]!);
        await ended;
        onLoad(PROGRESS[2]!);
        return fakeEngine().engine;
      }),
    );
    await proxy.start(1, { kind: "open", options: null });
    expect(await proxy.next(1)).toEqual({ kind: "event", event: PROGRESS[0] });
    finish();
    await proxy.cancel(99); // a round trip, in which loading ends
    expect(await proxy.next(1)).toEqual({ kind: "event", event: PROGRESS[2] });
    expect(await proxy.next(1)).toEqual({ kind: "result", result: INFO });
  });

  it("gives the error that loading fails with, at once or after progress", async () => {
    const failure = new KleinbildError("network", "no answer", { status: 503 }, { cause: new Error("reset") });
    for (const progress of [[], PROGRESS.slice(0, 1)]) {
      const proxy = connect(
        new EngineHost<null>(async (_options, _signal, onLoad) => {
          for (const event of progress) onLoad(event);
          throw failure;
        }),
      );
      await proxy.start(1, { kind: "open", options: null });
      for (const event of progress) expect(await proxy.next(1)).toEqual({ kind: "event", event });
      const arrived = failureOf(await proxy.next(1));
      expect(arrived).toBeInstanceOf(KleinbildError);
      expect(arrived).toMatchObject({ code: "network", details: { status: 503 }, stack: failure.stack });
      expect(arrived.cause).toMatchObject({ message: "reset" });
    }
  });

  it("runs a request event by event, its bigints included, and gives the pixels away", async () => {
    const { engine, requests } = fakeEngine();
    const proxy = await opened(engine);
    await proxy.start(2, { kind: "generate", request: REQUEST });
    expect(await proxy.next(2)).toEqual({ kind: "event", event: STEP });
    expect(await proxy.next(2)).toMatchObject({
      kind: "event",
      event: { type: "result", image: { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255) } },
    });
    expect(await proxy.next(2)).toEqual({ kind: "result", result: undefined });
    expect(requests).toEqual([REQUEST]);
  });

  it("gives the error that a run fails with, and takes the next request", async () => {
    const failure = new KleinbildError("not-finite", "NaN in the velocity", { stage: "step 1" });
    const { engine } = fakeEngine(failure);
    const proxy = await opened(engine);
    for (const id of [2, 3]) {
      await proxy.start(id, { kind: "generate", request: REQUEST });
      expect((await proxy.next(id)).kind).toBe("event");
      const arrived = failureOf(await proxy.next(id));
      expect(arrived).toBeInstanceOf(KleinbildError);
      expect(arrived).toMatchObject({
        name: "KleinbildError",
        code: "not-finite",
        message: "NaN in the velocity",
        details: { stage: "step 1" },
        stack: failure.stack,
      });
    }
  });

  it.each([
    ["before its first event", 0],
    ["between events", 1],
  ])("cancels a run %s and no other", async (_, pulls) => {
    const { engine, calls } = fakeEngine();
    const proxy = await opened(engine);
    await proxy.start(2, { kind: "generate", request: REQUEST });
    await proxy.start(3, { kind: "generate", request: REQUEST });
    for (let i = 0; i < pulls; i++) await proxy.next(2);
    await proxy.cancel(2);
    for (let i = pulls; i < 1; i++) await proxy.next(2);
    expect(await proxy.next(2)).toMatchObject({ kind: "error", error: { name: "AbortError" } });
    expect(calls).toEqual(["run ended"]);
    expect((await proxy.next(3)).kind).toBe("event");
    expect((await proxy.next(3)).kind).toBe("event");
    expect((await proxy.next(3)).kind).toBe("result");
  });

  it("cancels loading through its signal", async () => {
    const proxy = connect(
      new EngineHost<null>(
        (_options, signal) =>
          new Promise((_, reject) =>
            signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError"))),
          ),
      ),
    );
    await proxy.start(1, { kind: "open", options: null });
    const pulled = proxy.next(1);
    await proxy.cancel(1);
    expect(await pulled).toMatchObject({ kind: "error", error: { name: "AbortError", message: "stopped" } });
  });

  it("does not mind the cancelling of a run that is over or never was", async () => {
    const { engine } = fakeEngine();
    const proxy = await opened(engine);
    await proxy.cancel(1);
    await proxy.cancel(99);
    expect(await run(proxy, { kind: "info" })).toEqual({ kind: "result", result: INFO });
  });

  it.each([2, 99])("gives an internal error for run %d, which is over or never was", async (id) => {
    const { engine } = fakeEngine();
    const proxy = await opened(engine);
    await proxy.start(2, { kind: "generate", request: REQUEST });
    while ((await proxy.next(2)).kind === "event");
    expect(await proxy.next(id)).toMatchObject({
      kind: "error",
      error: { code: "internal", message: `There is no run ${id}.` },
    });
  });

  it("is disposed of after its runs were aborted, and then says so", async () => {
    const { engine, calls } = fakeEngine();
    const proxy = await opened(engine);
    await proxy.start(2, { kind: "generate", request: REQUEST });
    await proxy.next(2);
    expect(await run(proxy, { kind: "dispose" })).toEqual({ kind: "result", result: undefined });
    expect(calls).toEqual(["disposed"]);
    expect(await proxy.next(2)).toMatchObject({ kind: "error", error: { name: "AbortError" } });
    expect(await run(proxy, { kind: "info" })).toMatchObject({
      kind: "error",
      error: { code: "disposed", message: "The engine was disposed of." },
    });
    await proxy.start(3, { kind: "generate", request: REQUEST });
    expect(await proxy.next(3)).toMatchObject({ kind: "error", error: { code: "disposed" } });
    await run(proxy, { kind: "dispose" });
    expect(calls.filter((call) => call === "disposed")).toHaveLength(1);
  });
});

describe("work at a remote host", () => {
  const alive = new AbortController().signal;

  it("yields its events and returns its result", async () => {
    const host = new WorkHost<string>(async function* (work) {
      yield `${work} 1`;
      yield `${work} 2`;
      return "done";
    });
    const run = runRemote<string, string, string>({ host, died: alive }, "a");
    expect(await run.next()).toEqual({ done: false, value: "a 1" });
    expect(await run.next()).toEqual({ done: false, value: "a 2" });
    expect(await run.next()).toEqual({ done: true, value: "done" });
  });

  it("fails with the signal's reason after an abort, once the host has ended it", async () => {
    let freed = false;
    const host = new WorkHost<null>(async function* (_, signal) {
      yield 1;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      freed = true;
      signal.throwIfAborted();
    });
    const controller = new AbortController();
    const run = runRemote<null, number, void>({ host, died: alive }, null, controller.signal);
    await run.next();
    const reason = new Error("enough");
    const next = run.next();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(freed).toBe(true);
  });

  it("fails with the death of the host, during a run and before it", async () => {
    const host = new WorkHost<null>(async function* () {
      yield 1;
      await new Promise<never>(() => {});
    });
    const death = new AbortController();
    const run = runRemote<null, number, void>({ host, died: death.signal }, null);
    await run.next();
    const reason = new KleinbildError("worker-died", "gone");
    const next = run.next();
    death.abort(reason);
    await expect(next).rejects.toBe(reason);
    await expect(runRemote({ host, died: death.signal }, null).next()).rejects.toBe(reason);
  });
});
