import type { PixelImage } from "../image/pixels.ts";
import type { NoiseSource } from "../sampling/noise.ts";
import type { Evaluation } from "../sampling/solvers/program.ts";
import type { ReferenceMode } from "../transformer/denoiser.ts";
import type { StepCacheOptions } from "../transformer/step-cache.ts";
import type { LoraFile } from "../weights/lora/lora-file.ts";

/** The noise levels that a LoRA acts on: the high ones, the low ones, or all. */
export type LoraStages = "high" | "low" | "both";

/** A LoRA of a run. */
export interface LoraUse {
  readonly file: LoraFile;
  /** Factor of its change. */
  readonly weight: number;
  readonly stages: LoraStages;
}

/** A request with every default resolved. */
export interface PipelineRequest {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** The evaluations of the velocity that lead from noise to the picture. */
  readonly program: readonly Evaluation[];
  /** Evaluations that are performed; a dry run leaves out the rest of the program. Default: all. */
  readonly mostEvaluations?: number | undefined;
  /** The noise of each picture. */
  readonly noises: readonly NoiseSource[];
  /** Scale of classifier-free guidance. Null: no guidance, one pass for each evaluation. */
  readonly guidance: number | null;
  /** Prepared pictures, in order. */
  readonly references: readonly PixelImage[];
  readonly referenceMode: ReferenceMode;
  readonly loras: readonly LoraUse[];
  readonly stepCache?: StepCacheOptions | undefined;
  readonly previews: boolean;
  /** Called after each evaluation with its number, from 0, and the latents [tokens, channels]. */
  readonly onLatents?: ((evaluation: number, latents: Float32Array) => void) | undefined;
}
