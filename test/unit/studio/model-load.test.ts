import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Library } from "../../../demo/models/library.ts";
import { ModelLoad } from "../../../demo/models/model-load.ts";
import { type ModelRequest, nextStep, requestOf, storedChoice } from "../../../demo/models/model-request.ts";
import {
  type Availability,
  KleinbildError,
  type LoadEvent,
  type ModelInput,
  type Models,
  type ModelsDownloadOptions,
  type StoredModel,
} from "../../../runtime/index.ts";

const ADDRESS = "https://example.org/klein/";
const ID = "klein-0123";
const REQUEST: ModelRequest = {
  input: ADDRESS,
  name: "klein",
  quantization: undefined,
  keep: true,
  memoryBudgetBytes: 4e9,
};
const PROGRESS: LoadEvent = { type: "load", stage: "download", part: "vae", loadedBytes: 10, totalBytes: 100 };

function stored(change: Partial<StoredModel> = {}): StoredModel {
  return {
    id: ID,
    name: "klein",
    address: ADDRESS,
    complete: true,
    bytes: 100,
    created: "2026-01-01T00:00:00.000Z",
    lastUsed: "2026-01-01T00:00:00.000Z",
    files: [],
    ...change,
  };
}

function availability(change: Partial<Availability> = {}): Availability {
  const known = { status: "downloadable", downloadBytes: 100, store: { id: ID, bytes: 100, peakBytes: 100 } } as const;
  return { ...known, missing: [], model: { name: "klein" }, ...change } as Availability;
}

const MODELS: Models<ModelInput> = {
  availability: async () => availability(),
  download: async () => stored(),
  list: async () => [],
  storage: async () => undefined,
  verify: async () => [],
  delete: async () => {},
  dispose: async () => {},
};

/** A library of models whose answers a test defines. */
function fake(answers: Partial<Models<ModelInput>>): { readonly library: Library; readonly load: ModelLoad } {
  const library = new Library(() => ({ ...MODELS, ...answers }));
  return { library, load: new ModelLoad(library) };
}

/** A download that goes on until it is aborted. */
function endless(began: ModelsDownloadOptions[]): Models<ModelInput>["download"] {
  return (_, options = {}) => {
    began.push(options);
    options.onProgress?.(PROGRESS);
    return new Promise((_, reject) => {
      options.signal?.addEventListener("abort", () => reject(options.signal!.reason as Error));
    });
  };
}

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  });
});
afterEach(() => void vi.unstubAllGlobals());

describe("a ModelLoad", () => {
  it("looks at a model, downloads it, and then has it to open by its id", async () => {
    const { load } = fake({});
    await load.check(REQUEST);
    expect(load.state).toEqual({ status: "checked", availability: availability() });
    await load.download();
    expect(load.state).toEqual({ status: "downloaded" });
    expect(load.choice).toEqual(storedChoice(ID, "klein", 4e9));
  });

  it("pauses with what has come, and goes on", async () => {
    const began: ModelsDownloadOptions[] = [];
    const { load } = fake({ download: endless(began) });
    await load.check(REQUEST);
    const first = load.download();
    expect(load.state).toMatchObject({ status: "downloading", transfer: { event: PROGRESS } });
    load.pause();
    await first;
    expect(load.state).toMatchObject({ status: "paused", transfer: { event: PROGRESS } });
    const second = load.download();
    expect(load.state.status).toBe("downloading");
    expect(began.map(({ signal }) => signal!.aborted)).toEqual([true, false]);
    load.pause();
    await second;
  });

  it("says what failed, and whether what came stays", async () => {
    const error = new Error("no connection");
    const { load } = fake({ availability: () => Promise.reject(error) });
    await load.check(REQUEST);
    expect(load.state).toEqual({ status: "failed", error, canResume: false });
    for (const list of [[], [stored({ complete: false })]]) {
      const other = fake({ download: () => Promise.reject(error), list: async () => list }).load;
      await other.check(REQUEST);
      await other.download();
      expect(other.state).toEqual({ status: "failed", error, canResume: list.length > 0 });
    }
  });

  it("takes no notice of an answer about what is not asked any more", async () => {
    let answer: ((found: Availability) => void) | undefined;
    const { load } = fake({ availability: () => new Promise((resolve) => (answer = resolve)) });
    const checked = load.check(REQUEST);
    load.reset();
    answer!(availability());
    await checked;
    expect(load.state).toEqual({ status: "idle" });
    expect(load.choice).toBeUndefined();
  });

  it("pauses a download and forgets a check when the page lets go of it", async () => {
    const { load } = fake({ download: endless([]) });
    await load.check(REQUEST);
    const download = load.download();
    load.leave();
    await download;
    expect(load.state.status).toBe("paused");
    const check = load.check(REQUEST);
    load.leave();
    await check;
    expect(load.state).toEqual({ status: "idle" });
  });

  it("ends the library's worker when it is closed, and starts another one for what is asked later", async () => {
    const calls: string[] = [];
    const library = new Library(() => {
      calls.push("open");
      return { ...MODELS, dispose: async () => void calls.push("dispose") };
    });
    await library.refresh();
    library.close();
    library.close();
    await library.refresh();
    expect(calls).toEqual(["open", "dispose", "open"]);
  });

  it("gets another worker after the library's has died", async () => {
    const died = new KleinbildError("worker-died", "The worker stopped.");
    let opened = 0;
    const library = new Library(() => ({
      ...MODELS,
      list: opened++ === 0 ? () => Promise.reject(died) : async () => [stored()],
    }));
    await library.refresh();
    expect(library.problem).toBe(died);
    await library.refresh();
    expect(library.problem).toBeUndefined();
    expect(library.entries).toHaveLength(1);
  });

  it("remembers how a model was asked for, to go on after a reload", async () => {
    const { load } = fake({});
    const files = { "a.gguf": "https://example.org/a.gguf" };
    await load.check({ ...REQUEST, input: files, quantization: "q4" });
    await load.download();
    expect(requestOf(stored({ address: "the listed files" }))).toEqual({
      ...REQUEST,
      input: files,
      quantization: "q4",
    });
  });
});

describe("requestOf", () => {
  it("takes address and quantization from the store where nothing is remembered", () => {
    expect(requestOf(stored())).toMatchObject({ input: ADDRESS, quantization: undefined, keep: true });
    expect(requestOf(stored({ id: "klein-0123-q4-mse" }))).toMatchObject({ input: ADDRESS, quantization: "q4" });
    expect(requestOf(stored({ address: "the picked files" }))).toBeUndefined();
  });
});

describe("nextStep", () => {
  const picked = { ...REQUEST, input: [new File(["x"], "a.gguf")] };
  it.each([
    [REQUEST, availability(), "download"],
    [REQUEST, availability({ status: "ready", downloadBytes: 0 }), "open"],
    [REQUEST, availability({ status: "too-small", downloadBytes: 0 }), "open"],
    [{ ...REQUEST, keep: false }, availability(), "open"],
    [picked, availability({ downloadBytes: 0 }), "open"],
    [{ ...picked, quantization: "q4" } as const, availability({ downloadBytes: 0 }), "prepare"],
    [{ ...picked, quantization: "q4", keep: false } as const, availability({ downloadBytes: 0 }), "open"],
  ])("%#", (request, found, expected) => expect(nextStep(request, found)).toBe(expected));
});

describe("a Library", () => {
  it("has originals that are being repacked with the model that is made from them", async () => {
    const deleted: string[] = [];
    const { library } = fake({
      list: async () => [
        stored({ id: `${ID}-q4-mse`, complete: false, bytes: 10 }),
        stored({ id: `${ID}-q4-mse.vae`, bytes: 30 }),
        stored({ id: "flux.2-klein" }),
        stored({ id: "flux" }),
      ],
      delete: async (id) => void deleted.push(id),
    });
    await library.refresh();
    const [first, ...others] = library.entries!;
    expect(first).toMatchObject({ id: `${ID}-q4-mse`, bytes: 40, originals: [`${ID}-q4-mse.vae`] });
    expect(others.map(({ id }) => id)).toEqual(["flux.2-klein", "flux"]);
    await library.remove(first!);
    expect(deleted).toEqual([`${ID}-q4-mse.vae`, `${ID}-q4-mse`]);
  });

  it("reports the result of a verification, and reads the list again", async () => {
    const damage = { path: "vae/model.safetensors", offset: 0 };
    let isComplete = true;
    const { library } = fake({
      list: async () => [stored({ complete: isComplete })],
      verify: async () => {
        isComplete = false;
        return [damage];
      },
    });
    await library.refresh();
    const verified = library.verify(library.entries![0]!);
    expect(library.verification(ID)).toEqual({ status: "running" });
    await verified;
    expect(library.verification(ID)).toEqual({ status: "done", damages: [damage] });
    expect(library.entries![0]!.complete).toBe(false);
  });

  it("says why the store cannot be read", async () => {
    const error = new Error("blocked");
    const { library } = fake({ list: () => Promise.reject(error) });
    await library.refresh();
    expect(library.problem).toBe(error);
    expect(library.entries).toBeUndefined();
  });
});
