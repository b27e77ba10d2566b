import { LRUCache } from "lru-cache";
import { KleinbildError } from "../errors.ts";
import type { NullModelOptions } from "../loaded-model/null-model.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { decidePlan, type MemoryPlan, type PlanBudget } from "./memory-plan.ts";
import { nearestFitting } from "./nearest-size.ts";
import { completeRequest, type PlannedRequest } from "./planned-request.ts";
import { type StageMemory, StageMeter } from "./stage-meter.ts";

export interface PlanOptions extends Omit<NullModelOptions, "config">, PlanBudget {
  /** What differs from one picture of the model's default size without references. */
  readonly request?: Partial<PlannedRequest> | undefined;
}

/** Requests whose memory is remembered: a plan asks for the same one with several budgets. */
const REMEMBERED = 32;

/**
 * Plans the memory of one run, from the model's config alone: no file is read, and no GPU is needed.
 * @throws KleinbildError `unsupported` or `invalid-shape` when the adapter's bindings are too small for model or request
 */
export async function planMemory(
  config: ModelConfig,
  { budgetBytes, cachedReferenceBytes, request, ...setup }: PlanOptions,
): Promise<MemoryPlan> {
  return new MemoryPlanner({ ...setup, config }).plan(request, { budgetBytes, cachedReferenceBytes });
}

/** Plans the memory of runs of one model. */
export class MemoryPlanner {
  readonly #setup: NullModelOptions;
  readonly #measured = new LRUCache<string, readonly StageMemory[]>({ max: REMEMBERED });
  #meter: { readonly loraRank: number; readonly meter: StageMeter } | undefined;

  constructor(setup: NullModelOptions) {
    this.#setup = setup;
  }

  /**
   * @param request  what differs from one picture of the model's default size without references
   * @throws KleinbildError `unsupported` or `invalid-shape` when the adapter's bindings are too small for model or request
   */
  async plan(request?: Partial<PlannedRequest>, budget: PlanBudget = {}): Promise<MemoryPlan> {
    const complete = completeRequest(this.#setup.config, request);
    const plan = await this.#plan(complete, budget);
    if (plan.fits) return plan;
    const nearest = await nearestFitting(complete, async (size) => {
      try {
        return (await this.#plan({ ...complete, ...size }, budget)).fits;
      } catch (error) {
        if (exceedsBindings(error)) return false;
        throw error;
      }
    });
    return nearest ? { ...plan, nearest } : plan;
  }

  async #plan(request: PlannedRequest, budget: PlanBudget): Promise<MemoryPlan> {
    const { weights, stages } = await this.#measure(request);
    return decidePlan({ setup: this.#setup, request, weights, stages }, budget);
  }

  async #measure(
    request: PlannedRequest,
  ): Promise<Pick<StageMeter, "weights"> & { readonly stages: readonly StageMemory[] }> {
    const { loraRank } = request;
    if (this.#meter?.loraRank !== loraRank)
      this.#meter = { loraRank, meter: await StageMeter.open(this.#setup, loraRank) };
    const { meter } = this.#meter;
    const key = JSON.stringify(request);
    const stages = this.#measured.get(key) ?? (await meter.measure(request));
    this.#measured.set(key, stages);
    return { weights: meter.weights, stages };
  }
}

/** Whether a request was refused because the adapter's bindings are too small for it. */
export function exceedsBindings(error: unknown): error is KleinbildError {
  return error instanceof KleinbildError && (error.code === "unsupported" || error.code === "invalid-shape");
}
