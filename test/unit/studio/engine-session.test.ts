import { describe, expect, it } from "vitest";
import { EngineSession, KLEIN_NANO } from "../../../demo/state/engine-session.ts";
import type { ModelChoice } from "../../../demo/studio-types.ts";
import { KleinbildError } from "../../../runtime/errors.ts";
import type { Kleinbild } from "../../../runtime/index.ts";
import { Loads } from "./loads.ts";

const BASE: ModelChoice = { id: "base", name: "base", options: { model: "/base/" } };
const OTHER: ModelChoice = { id: "other", name: "other", options: { model: "/other/" } };
const FAILURE = new KleinbildError("invalid-model", "The file is damaged.");

function start(): { loads: Loads; session: EngineSession } {
  const loads = new Loads();
  return { loads, session: new EngineSession(loads.create) };
}

async function opened(choice: ModelChoice): Promise<{ loads: Loads; session: EngineSession }> {
  const { loads, session } = start();
  const opening = session.open(choice);
  await loads.end();
  await opening;
  return { loads, session };
}

describe("the session", () => {
  it("opens a model in place of the one before, whose end it waits for", async () => {
    const { loads, session } = await opened(KLEIN_NANO);
    const opening = session.open(BASE);
    await loads.end();
    await opening;
    expect(loads.log).toEqual(["load nano", "dispose nano", "load /base/"]);
    expect(session.state).toMatchObject({ status: "ready", info: { model: { name: "/base/" } } });
  });

  it("gives who asks while the model changes the new engine, not the old one again", async () => {
    const { loads, session } = await opened(KLEIN_NANO);
    const opening = session.open(BASE);
    const engine = session.engine();
    await loads.end();
    expect(await engine).toMatchObject({ name: "/base/" });
    await opening;
    expect(loads.log).toEqual(["load nano", "dispose nano", "load /base/"]);
  });

  it("gives who waits for a model that another one takes the place of that one", async () => {
    const { loads, session } = start();
    const first = session.open(BASE);
    const engine = session.engine();
    await loads.next();
    const second = session.open(OTHER);
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    await loads.end();
    expect(await engine).toMatchObject({ name: "/other/" });
    await second;
    expect(session.refusal).toBeUndefined();
  });

  it("goes back to the model before when one cannot be opened, and says why", async () => {
    const { loads, session } = await opened(BASE);
    const opening = session.open(OTHER);
    await loads.end(FAILURE);
    await expect(opening).rejects.toBe(FAILURE);
    const engine = session.engine();
    await loads.end();
    expect(await engine).toMatchObject({ name: "/base/" });
    expect(session.choice).toBe(BASE);
    expect(session.refusal).toEqual({ choice: OTHER, error: FAILURE });
  });

  it("opens nothing in place of a model whose loading was ended", async () => {
    const { loads, session } = start();
    const opening = session.open(BASE);
    await loads.next();
    await session.close();
    await expect(opening).rejects.toMatchObject({ name: "AbortError" });
    expect(session.state.status).toBe("closed");
    expect(loads.log).toEqual(["load /base/"]);
  });

  it("opens a new engine after one has died, and leaves a starting one alone", async () => {
    const { loads, session } = await opened(KLEIN_NANO);
    const lost = new KleinbildError("device-lost", "The GPU was lost.");
    await session.reportFailure(lost);
    expect(session.state.status).toBe("closed");
    const engine = session.engine();
    await session.reportFailure(lost);
    await loads.end();
    expect(await engine).toMatchObject({ name: "nano" });
    expect(loads.log).toEqual(["load nano", "dispose nano", "load nano"]);
  });

  it("is failed, and can be tried again, when the engine dies as it has loaded", async () => {
    const died = new KleinbildError("worker-died", "The worker stopped.");
    const dead = {
      info: () => Promise.reject(died),
      dispose: () => Promise.reject(died),
    } as unknown as Kleinbild;
    const session = new EngineSession(async () => dead);
    await expect(session.open(KLEIN_NANO)).rejects.toBe(died);
    expect(session.state).toEqual({ status: "failed", error: died });
  });
});
