import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EngineSession, KLEIN_NANO } from "../../../demo/state/engine-session.ts";
import type { ModelChoice } from "../../../demo/studio-types.ts";
import { Studio } from "../../../demo/state/studio.ts";
import { Loads } from "./loads.ts";

const BASE: ModelChoice = { id: "base", name: "base", options: { model: "/base/" } };

async function ready(): Promise<{ loads: Loads; studio: Studio }> {
  const loads = new Loads();
  const studio = new Studio(new EngineSession(loads.create));
  const opening = studio.openModel(KLEIN_NANO);
  await loads.end();
  await opening;
  return { loads, studio };
}

function generate(studio: Studio, prompt: string): void {
  studio.settings.set({ prompt });
  studio.generate();
}

describe("the studio", () => {
  it("cancels the running request when another model opens, and has that one make what waits", async () => {
    const { loads, studio } = await ready();
    const first = loads.asked();
    generate(studio, "first");
    await first;
    generate(studio, "second");
    const second = loads.asked();
    const opening = studio.openModel(BASE);
    await loads.end();
    await Promise.all([opening, second]);
    expect(loads.log).toEqual(["load nano", "nano: first", "dispose nano", "load /base/", "/base/: second"]);
    expect(studio.queue.running?.order.prompt).toBe("second");
    expect(studio.session.choice).toBe(BASE);
    expect(studio.notices.list).toEqual([]);
  });

  it("has a request that waits for a model wait for the one that takes its place", async () => {
    const loads = new Loads();
    const studio = new Studio(new EngineSession(loads.create));
    const asked = loads.asked();
    generate(studio, "early");
    await loads.next();
    const opening = studio.openModel(BASE);
    await loads.end();
    await Promise.all([opening, asked]);
    expect(loads.log).toEqual(["load nano", "load /base/", "/base/: early"]);
  });
});

describe("what is dropped on the studio", () => {
  it("is a LoRA by its name, in whatever case", async () => {
    const { studio } = await ready();
    await studio.receive([new File(["x"], "Style.SafeTensors")]);
    expect(studio.loras.list.map(({ name }) => name)).toEqual(["Style.SafeTensors"]);
    expect(studio.notices.list).toEqual([]);
  });

  it("is named in an error when it cannot be read, for example a folder", async () => {
    const { studio } = await ready();
    const folder = Object.assign(new File([], "photos.old"), {
      arrayBuffer: () => Promise.reject(new Error("a folder")),
    });
    await studio.receive([folder]);
    expect(studio.notices.list.map(({ text }) => text)).toEqual([
      "photos.old is not a picture that this browser can read.",
    ]);
  });
});

describe("the live picture", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("follows once typing rests, and no more when the studio is stopped", async () => {
    const { studio } = await ready();
    studio.settings.set({ live: true, prompt: "a f" });
    studio.settings.set({ prompt: "a fox" });
    vi.advanceTimersByTime(1000);
    expect(studio.queue.pending.map(({ order }) => order.prompt)).toEqual(["a fox"]);
    studio.settings.set({ prompt: "a cat" });
    await studio.stop();
    vi.advanceTimersByTime(1000);
    await vi.waitFor(() => expect(studio.queue.pending).toEqual([]));
    expect(studio.session.state.status).toBe("closed");
  });
});
