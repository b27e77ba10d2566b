import { KleinbildError } from "../errors.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { lorasByWeights } from "../pipeline/loras-by-weights.ts";
import type { PipelineRequest } from "../pipeline/pipeline-request.ts";
import type { MemoryPlan } from "../memory-plan/memory-plan.ts";
import { MemoryPlanner } from "../memory-plan/memory-planner.ts";
import { planRequest } from "../memory-plan/request-plan.ts";
import { referenceCacheKeys } from "../pipeline/references.ts";
import type { Residency } from "../pipeline/stages.ts";
import type { WeightPart } from "../weights/inventory.ts";

type PlannedModel = Pick<LoadedModel, "config" | "scalar" | "quantization" | "backends" | "gpu">;

/** Keeps an engine's runs within a number of bytes on the GPU. */
export class MemoryBudget {
  readonly #bytes: number;
  readonly #planners = new WeakMap<PlannedModel, MemoryPlanner>();

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * The parts to load before any request is known: those that a run of the default size begins with.
   * @throws KleinbildError `over-budget` when no picture fits, of whatever size
   */
  async first(model: PlannedModel): Promise<readonly WeightPart[]> {
    const plan = await this.#planner(model).plan({}, { budgetBytes: this.#bytes });
    if (!plan.fits && !plan.nearest) throw this.#refusal(plan, model.config.name);
    return plan.residency.prompt;
  }

  /**
   * Decides which parts stay in which stage of a run, and frees memory of earlier runs that this one needs: buffers
   * that the dense backend pools, and cached keys and values of other references.
   * @throws KleinbildError `over-budget`, with the nearest size that fits
   */
  async makeRoom(model: LoadedModel, run: PipelineRequest): Promise<Residency> {
    const request = planRequest(run, {
      pictures: run.noises.length,
      blocks: model.config.transformer.doubleBlocks + model.config.transformer.singleBlocks,
      scalar: model.scalar,
      loras: [...lorasByWeights(model, run).values()],
    });
    const planner = this.#planner(model);
    const budgetBytes = this.#bytes;
    const alone = await planner.plan(request, { budgetBytes });
    if (!alone.fits) throw this.#refusal(alone, `${run.width} x ${run.height}`);
    const { byCategory } = model.gpu.memory.report();
    if ((byCategory.onnxruntime?.currentBytes ?? 0) > (alone.byCategory.onnxruntime ?? 0)) await model.releasePool();
    const cachedReferenceBytes = model.referenceCache.statistics.bytes;
    const beside = await planner.plan(request, { budgetBytes, cachedReferenceBytes });
    if (beside.fits && beside.loadedBytes <= alone.loadedBytes) return beside.residency;
    // keys and values of references are cheaper to compute again than weights are to load
    model.referenceCache.keepOnly(new Set(referenceCacheKeys(model, run).values()));
    return alone.residency;
  }

  #planner(model: PlannedModel): MemoryPlanner {
    let planner = this.#planners.get(model);
    if (!planner) {
      const { config, scalar, quantization, backends, gpu } = model;
      const { maxBindingBytes } = gpu.memory;
      planner = new MemoryPlanner({ config, scalar, quantization, backends, maxBindingBytes });
      this.#planners.set(model, planner);
    }
    return planner;
  }

  #refusal({ peakBytes, missingBytes, nearest, stages }: MemoryPlan, what: string): KleinbildError {
    const { stage } = stages.reduce((most, each) => (each.peakBytes > most.peakBytes ? each : most));
    const advice = nearest
      ? ` The nearest size that fits is ${nearest.width} x ${nearest.height}.`
      : " No smaller size fits either: raise the budget, or quantize.";
    return new KleinbildError(
      "over-budget",
      `${what} needs ${peakBytes} bytes of GPU memory in its stage "${stage}", ${missingBytes} more than the budget of ${this.#bytes}.${advice}`,
      {
        bytes: peakBytes,
        budgetBytes: this.#bytes,
        missingBytes,
        stage,
        ...(nearest ? { width: nearest.width, height: nearest.height } : {}),
      },
    );
  }
}
