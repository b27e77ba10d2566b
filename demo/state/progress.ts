import type { LoadEvent, RunEvent } from "../../runtime/index.ts";
import { formatBytes } from "./format.ts";

/** What a run will do, as far as it is known when it starts. */
export interface RunPlan {
  readonly steps: number;
  readonly results: number;
  readonly references: boolean;
  readonly guided: boolean;
}

/** What is being done now, and how far it is. */
export interface Stage {
  readonly status: string;
  readonly done: number;
  readonly of: number;
  /** Bytes of a loading model. */
  readonly note?: string;
  /** Milliseconds that are left, once a step has told the pace. */
  readonly leftMs?: number;
}

export const WAITING: Stage = { status: "Waiting for the model", done: 0, of: 1 };

/** Events tell what is over; this tells what is under way, and from the pace of the steps how long it will take. */
export class RunStages {
  readonly #plan: RunPlan;
  readonly #of: number;
  #done = 0;
  #stepMs: number[] = [];
  #decodeMs: number | undefined;

  /** @param decodeMs  milliseconds that decoding such a picture took before, where it is known */
  constructor(plan: RunPlan, decodeMs?: number) {
    this.#plan = plan;
    this.#decodeMs = decodeMs;
    this.#of = 1 + Number(plan.references) + Number(plan.guided) + plan.results * (plan.steps + 1);
  }

  begin(): Stage {
    return { status: "Reading the prompt", done: 0, of: this.#of };
  }

  after(event: RunEvent): Stage {
    if (event.type === "load") {
      this.#done = 0; // the GPU was lost, or f16 overflowed: the run starts again behind it
      const stage = loadStage(event);
      return { ...stage, status: `${stage.status} again` };
    }
    if (event.type === "step") this.#stepMs.push(event.milliseconds);
    if (event.type === "decode") this.#decodeMs = event.milliseconds;
    const leftMs = this.#leftMs(event);
    return { status: this.#next(event), done: ++this.#done, of: this.#of, ...(leftMs !== undefined && { leftMs }) };
  }

  #leftMs(event: Exclude<RunEvent, LoadEvent>): number | undefined {
    if (event.type === "encode" || this.#stepMs.length === 0) return undefined;
    const { steps, results } = this.#plan;
    const ofThis = event.type === "step" ? event.steps - event.step : 0;
    const others = results - event.result - 1;
    // the first step of a run warms up; the median does not mind
    const step = this.#stepMs.toSorted((a, b) => a - b)[this.#stepMs.length >> 1]!;
    const decodes = others + Number(event.type === "step");
    return step * (ofThis + others * steps) + (this.#decodeMs ?? step) * decodes;
  }

  #next(event: Exclude<RunEvent, LoadEvent>): string {
    const { steps, references, guided, results } = this.#plan;
    const ofPicture = (result: number): string => (results > 1 ? `, picture ${result + 1} of ${results}` : "");
    switch (event.type) {
      case "encode":
        if (event.what === "prompt" && guided) return "Reading the negative prompt";
        if (event.what !== "references" && references) return "Reading the references";
        return `Step 1 of ${steps}${ofPicture(0)}`;
      case "step":
        return event.step < event.steps
          ? `Step ${event.step + 1} of ${event.steps}${ofPicture(event.result)}`
          : `Decoding the picture${ofPicture(event.result)}`;
      case "decode":
        return event.result + 1 < results ? `Step 1 of ${steps}${ofPicture(event.result + 1)}` : "Finishing";
      default:
        return event satisfies never;
    }
  }
}

const LOAD_STATUS = { download: "Downloading the model", repack: "Repacking the model", gpu: "Loading the model" };

export function loadStage({ stage, loadedBytes, totalBytes }: LoadEvent): Stage {
  const note = `${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)}`;
  // behind the last byte kernels are compiled and compared
  const status = stage === "gpu" && loadedBytes === totalBytes ? "Preparing the GPU" : LOAD_STATUS[stage];
  return { status, done: loadedBytes, of: totalBytes, note };
}
