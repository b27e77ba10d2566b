import type { LoadEvent, RunEvent } from "../runtime/index.ts";
import { formatBytes } from "./format.ts";

export interface RunPlan {
  readonly steps: number;
  readonly references: boolean;
  readonly guided: boolean;
}

export interface Stage {
  /** What is being done now. */
  readonly status: string;
  readonly done: number;
  readonly of: number;
  readonly note?: string;
}

/** Events tell what is over; this tells what is under way. */
export class RunStages {
  readonly #plan: RunPlan;
  readonly #of: number;
  #done = 0;

  constructor(plan: RunPlan) {
    this.#plan = plan;
    this.#of = plan.steps + 2 + Number(plan.references) + Number(plan.guided); // prompt and decoding
  }

  after(event: RunEvent): Stage {
    if (event.type === "load") {
      this.#done = 0; // the run starts again behind it
      return loadStage(event);
    }
    return { status: this.#next(event), done: ++this.#done, of: this.#of };
  }

  #next(event: Exclude<RunEvent, LoadEvent>): string {
    const { steps, references, guided } = this.#plan;
    switch (event.type) {
      case "encode":
        if (event.what === "prompt" && guided) return "Reading the negative prompt";
        return event.what !== "references" && references ? "Reading the references" : `Step 1 of ${steps}`;
      case "step":
        return event.step < event.steps ? `Step ${event.step + 1} of ${event.steps}` : "Decoding the picture";
      case "decode":
        return "Finishing";
      default:
        return event satisfies never;
    }
  }
}

const LOAD_STATUS = { download: "Downloading the model", repack: "Repacking the model", gpu: "Loading the model" };

export function loadStage({ stage, loadedBytes, totalBytes }: LoadEvent): Stage {
  const note = `${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)}`;
  return { status: LOAD_STATUS[stage], done: loadedBytes, of: totalBytes, note };
}
