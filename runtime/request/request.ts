import type { ImageInput } from "../image/read.ts";
import type { NoiseKind } from "../sampling/noise.ts";
import type { SchedulerName } from "../sampling/scheduler.ts";
import type { ReferenceMode } from "../transformer/denoiser.ts";
import type { AccelerationOptions, AccelerationPreset } from "./acceleration.ts";
import type { LoraInput } from "./loras.ts";

/** A request for one or several pictures. Only the prompt is required. */
export interface GenerateRequest {
  /** What the picture shows, or what to change in the references ("image 1" is the first). It may be empty. */
  readonly prompt: string;
  /**
   * Width in pixels, a multiple of 16 in 16 … 8192. Give both sides or neither. Default: the width of the first reference as
   * it is prepared, otherwise the default size of the model.
   */
  readonly width?: number | undefined;
  /** Height in pixels, as `width`. */
  readonly height?: number | undefined;
  /** Denoising steps, 1 … 1000. Default: the model's. */
  readonly steps?: number | undefined;
  /** The solver and its noise levels, by a name of docs/schedulers.md. Default: `Default`, the model's own Euler. */
  readonly scheduler?: SchedulerName | undefined;
  /** Number of pictures, 1 … 20. Their seeds count up; prompt and references are encoded once. Default: 1. */
  readonly results?: number | undefined;
  /**
   * Seed of the first picture, 0 … 2⁶³ − 1; beyond 2⁵³ as a bigint or a string of digits. Default: a random unsigned 32-bit
   * number.
   */
  readonly seed?: number | bigint | string | undefined;
  /**
   * Source of the noise: `counter` gives the same noise on every device and at every size, `torch` the numbers of PyTorch's
   * CPU generator. Default: `counter`.
   */
  readonly noise?: NoiseKind | undefined;
  /** Classifier-free guidance of undistilled models, 1 … 100; 1 or null turns it off. Default: the model's own. */
  readonly guidance?: number | null | undefined;
  /** Whether guidance is ignored, as distilled weights require. Default: as the model's configuration says. */
  readonly distilled?: boolean | undefined;
  /** What the picture should not show. It has an effect only with guidance. Default: empty. */
  readonly negativePrompt?: string | undefined;
  /** Pictures to edit or combine, in order: at most four encoded files or pixels. Default: none. */
  readonly references?: readonly ImageInput[] | undefined;
  /** How references take part. Default: `exact` if the weights are trained for it, otherwise `recompute`. */
  readonly referenceMode?: ReferenceMode | undefined;
  /** Low-rank adapters. Their effects add up. Default: none. */
  readonly loras?: readonly LoraInput[] | undefined;
  /** Reuse of computations between steps. Default: `none`, which changes no pixel. */
  readonly acceleration?: AccelerationPreset | AccelerationOptions | undefined;
  /** Whether step events have a preview. Default: true. */
  readonly previews?: boolean | undefined;
}
