import type { StepEvent } from "../../runtime/events.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import type { CaseRun } from "../bench-case.ts";
import { figure } from "../statistics.ts";
import { makePicture, patternPicture, withEngine } from "./engines.ts";

const SIDE = 128;
const REFERENCES = 4;
const REQUEST: GenerateRequest = {
  prompt: "image 1, image 2, image 3 and image 4 in a grid",
  width: SIDE,
  height: SIDE,
  steps: 4,
  seed: 7,
};
const references = Array.from({ length: REFERENCES }, (_, i) => patternPicture(SIDE, i));
/** Requests by the way in which they treat references. */
const WAYS: Readonly<Record<string, GenerateRequest>> = {
  "no references": REQUEST,
  "cached (exact)": { ...REQUEST, references, referenceMode: "exact" },
  "computed in every step (recompute)": { ...REQUEST, references, referenceMode: "recompute" },
};

/** Times steps with and without cached keys and values in turn, after one round that compiles shaders. */
export async function referencesCase(run: CaseRun): Promise<void> {
  const backend = "wgsl";
  await withEngine(run, "klein-nano", { backend, dtype: run.choice.dtype }, async (engine) => {
    const times = Object.entries(WAYS).map(([way, request]) => ({
      way,
      request,
      steps: [] as number[],
      references: [] as number[],
    }));
    for (let round = -1; round < run.choice.repeats && (round < 1 || run.hasTime()); round++)
      for (const { request, steps: stepMs, references: referencesMs } of times) {
        const steps: StepEvent[] = [];
        const { report } = await makePicture(run, engine, request, (event) => {
          if (event.type === "step") steps.push(event);
        });
        if (round < 0) continue;
        // the first step includes the wait for earlier stages
        stepMs.push(...steps.slice(1).map(({ milliseconds }) => milliseconds));
        referencesMs.push(report.timings.references ?? 0);
      }
    for (const { way, steps, references } of times)
      run.addRow({
        labels: { way, backend, type: engine.info.dtype },
        figures: { step: figure(steps, "ms"), "references pass": figure(references, "ms") },
      });
  });
}
