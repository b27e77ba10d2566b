import { KleinbildError } from "../errors.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { lorasByWeights } from "../pipeline/weight-variants.ts";
import type { PipelineRequest } from "../pipeline/pipeline-request.ts";
import { type MemoryPlan, planMemory } from "../memory-plan/memory-plan.ts";
import { planRequest } from "../memory-plan/request-plan.ts";
import type { PlannedRequest } from "../memory-plan/planned-request.ts";
import type { ResidencyChoice } from "../pipeline/enter-stage.ts";
import type { WeightPart } from "../weights/inventory.ts";

/** Keeps an engine's runs within a number of bytes on the GPU. */
export class MemoryBudget {
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /**
   * The parts to load before any request is known: those that a run of the default size begins with.
   * @throws KleinbildError `over-budget` when no picture fits, of whatever size
   */
  first(parts: LoadedModel): readonly WeightPart[] {
    const plan = this.#plan(parts);
    if (!plan.fits && !plan.nearest) throw this.#refusal(plan, parts.config.name);
    return plan.residency.prompt;
  }

  /**
   * How a run keeps within the budget. Buffers that earlier runs left with the dense backend are given back where they are
   * more than the run takes.
   * @throws KleinbildError `over-budget`, with the nearest size that fits
   */
  async share(parts: LoadedModel, run: PipelineRequest): Promise<ResidencyChoice> {
    const request = planRequest(run, {
      pictures: run.noises.length,
      blocks: parts.config.transformer.doubleBlocks + parts.config.transformer.singleBlocks,
      scalar: parts.scalar,
      loras: [...lorasByWeights(parts, run).values()],
    });
    const alone = this.#plan(parts, request);
    if (!alone.fits) throw this.#refusal(alone, `${run.width} x ${run.height}`);
    const { byCategory } = parts.gpu.memory.report();
    if ((byCategory.onnxruntime?.currentBytes ?? 0) > (alone.byCategory.onnxruntime ?? 0)) await parts.releasePool();
    const beside = this.#plan(parts, request, parts.referenceCache.statistics.bytes);
    // kept keys and values are cheaper to compute again than weights are to load
    const dropsOtherReferences = !beside.fits || beside.loadedBytes > alone.loadedBytes;
    return { residency: (dropsOtherReferences ? alone : beside).residency, dropsOtherReferences };
  }

  #plan(parts: LoadedModel, request?: PlannedRequest, keptReferenceBytes = 0): MemoryPlan {
    return planMemory(parts.config, {
      scalar: parts.scalar,
      quantization: parts.quantization,
      backends: parts.backends,
      maxBindingBytes: parts.gpu.memory.maxBindingBytes,
      budgetBytes: this.#bytes,
      keptReferenceBytes,
      request,
    });
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
