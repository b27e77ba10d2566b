import { describe, expect, it } from "vitest";
import { RunStages } from "../../../demo/state/progress.ts";
import type { StepEvent } from "../../../runtime/events.ts";

const step = (number: number, milliseconds: number, result = 0): StepEvent => ({
  type: "step",
  result,
  step: number,
  steps: 2,
  sigma: 1,
  milliseconds,
});

describe("the stages of a run", () => {
  it("are named by what comes next, and counted to their end", () => {
    const stages = new RunStages({ steps: 2, results: 1, references: true, guided: false });
    const seen = [
      stages.begin(),
      stages.after({ type: "encode", what: "prompt", reused: false }),
      stages.after({ type: "encode", what: "references", reused: true }),
      stages.after(step(1, 100)),
      stages.after(step(2, 100)),
      stages.after({ type: "decode", result: 0, milliseconds: 50 }),
    ];
    expect(seen.map(({ status }) => status)).toEqual([
      "Reading the prompt",
      "Reading the references",
      "Step 1 of 2",
      "Step 2 of 2",
      "Decoding the picture",
      "Finishing",
    ]);
    expect(seen.map(({ done, of }) => `${done}/${of}`)).toEqual(["0/5", "1/5", "2/5", "3/5", "4/5", "5/5"]);
  });

  it("name the negative prompt of a guided run, and the picture of a run that makes several", () => {
    const stages = new RunStages({ steps: 2, results: 2, references: false, guided: true });
    expect(stages.after({ type: "encode", what: "prompt", reused: false }).status).toBe("Reading the negative prompt");
    expect(stages.after({ type: "encode", what: "negativePrompt", reused: false }).status).toBe(
      "Step 1 of 2, picture 1 of 2",
    );
    expect(stages.after({ type: "decode", result: 0, milliseconds: 1 }).status).toBe("Step 1 of 2, picture 2 of 2");
  });

  it("show the time left after the first step: from the median step, and the last decoding", () => {
    const stages = new RunStages({ steps: 2, results: 2, references: false, guided: false }, 40);
    expect(stages.after({ type: "encode", what: "prompt", reused: false }).leftMs).toBeUndefined();
    // one step of this picture, two of the next, and two decodings
    expect(stages.after(step(1, 100)).leftMs).toBe(3 * 100 + 2 * 40);
    expect(stages.after(step(2, 300)).leftMs).toBe(2 * 300 + 2 * 40);
    expect(stages.after({ type: "decode", result: 0, milliseconds: 60 }).leftMs).toBe(2 * 300 + 60);
    expect(stages.after(step(1, 100, 1)).leftMs).toBe(100 + 60);
    expect(stages.after(step(2, 100, 1)).leftMs).toBe(60);
    expect(stages.after({ type: "decode", result: 1, milliseconds: 60 }).leftMs).toBe(0);
  });

  it("begin again behind a model that was loaded again", () => {
    const stages = new RunStages({ steps: 2, results: 1, references: false, guided: false });
    stages.after(step(1, 100));
    const load = stages.after({ type: "load", stage: "gpu", part: "vae", loadedBytes: 512, totalBytes: 1024 });
    expect(load).toEqual({ status: "Loading the model again", done: 512, of: 1024, note: "512 bytes of 1 KiB" });
    expect(stages.after({ type: "encode", what: "prompt", reused: true }).done).toBe(1);
  });
});
