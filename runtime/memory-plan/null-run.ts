import type { PixelImage } from "../image/pixels.ts";
import type { LoraUse, PipelineRequest } from "../pipeline/pipeline-request.ts";
import type { Evaluation } from "../sampling/solvers/program.ts";
import type { StepCacheOptions } from "../transformer/step-cache.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import type { PlannedRequest, Size } from "./planned-request.ts";

/** Sigmas of the evaluations with the two sets of weights: one with a LoRA for high noise levels, one without it. */
const HIGH_SIGMA = 1;
const LOW_SIGMA = 0.5;
/**
 * Evaluations that reach the peak. The first one allocates what later ones keep and reuse: velocities, a preview, caches. The
 * second one has all of this beside its own pass, and so has every later one. With two sets of weights, the first evaluation
 * with the one set comes before two with the other.
 */
const EVALUATIONS = 2;
const NO_NOISE = { initial: () => new Float32Array(), next: () => new Float32Array() };

/**
 * A run that allocates on the null device what `request` would allocate. Pictures have sizes and no pixels. The modulation has
 * a row for each evaluation; only the first evaluations are performed.
 */
export function nullRun(request: PlannedRequest, config: ModelConfig): PipelineRequest {
  const { width, height, references, referenceMode, guidance, previews, weightVariants } = request;
  return {
    prompt: "positive",
    negativePrompt: "negative",
    width,
    height,
    program: program(request),
    mostEvaluations: EVALUATIONS + weightVariants - 1,
    noises: [NO_NOISE],
    guidance: guidance ? 1 : null,
    references: references.map(withoutPixels),
    referenceMode,
    loras: weightVariants > 1 ? [highLora(config)] : [],
    stepCache: stepCache(request),
    previews,
  };
}

/** Evaluations that leave the latents as they are. Only the first one makes a preview: later ones would reuse its buffers. */
function program({ evaluations, weightVariants }: PlannedRequest): readonly Evaluation[] {
  return Array.from({ length: evaluations }, (_, i) => ({
    step: i,
    sigma: weightVariants > 1 && i === 0 ? HIGH_SIGMA : LOW_SIGMA,
    assignments: [],
    needsNoise: false,
    endsStep: i === 0,
  }));
}

function stepCache({ stepCache: streams, evaluations }: PlannedRequest): StepCacheOptions | undefined {
  const window = { startStep: 0, endStep: evaluations, maxConsecutive: 1 };
  switch (streams) {
    case "none":
      return undefined;
    case "target":
      return { ...window, method: { kind: "first-block", threshold: 0 } };
    case "all":
      return {
        ...window,
        method: { kind: "dual-block", threshold: 0, skipInterval: 1, firstBlocks: 1, lastBlocks: 1 },
      };
    default:
      return streams satisfies never;
  }
}

const withoutPixels = ({ width, height }: Size): PixelImage => ({ width, height, data: new Uint8ClampedArray() });

/** A LoRA that gives high noise levels their own set of weights. With its scale of 0 it allocates nothing. */
function highLora({ transformer: { hidden, inChannels } }: ModelConfig): LoraUse {
  const values = { label: "null", type: "F32", bytes: new Uint8Array() };
  const module = {
    name: "x_embedder",
    target: [{ tensor: "x_embedder.weight", slot: 0, slots: 1 }],
    rank: 4,
    scale: 0,
    down: { ...values, shape: [4, inChannels] },
    up: { ...values, shape: [hidden, 4] },
  } as const;
  const file = { name: "null", sha256: "null", modules: [module], unmatched: [], ignored: [] };
  return { file, weight: 1, stages: "high" };
}
