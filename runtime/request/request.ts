import type { ImageInput } from "../image/read.ts";
import type { NoiseKind } from "../sampling/noise.ts";
import type { SchedulerName } from "../sampling/scheduler.ts";
import type { ReferenceMode } from "../transformer/denoiser.ts";
import type { AccelerationOptions, AccelerationPreset } from "./acceleration.ts";
import type { LoraInput } from "./loras.ts";

export interface GenerateRequest {
  /** What the picture shows, or what to change in the references ("image 1" is the first). */
  readonly prompt: string;
  /** Pixels, multiples of 16 up to 8192, both or neither. Default: the first reference's prepared size, else the model's. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** 1 … 1000. Default: the model's. */
  readonly steps?: number | undefined;
  /** The solver and its noise levels, by the names of docs/schedulers.md. Default: `Default`, the model's own Euler. */
  readonly scheduler?: SchedulerName | undefined;
  /** Pictures to make, 1 … 20, with seeds counting up; prompt and references are encoded once. Default: 1. */
  readonly results?: number | undefined;
  /** 0 … 2⁶³ − 1; beyond 2⁵³ as bigint or decimal string. Default: a random unsigned 32-bit number. */
  readonly seed?: number | bigint | string | undefined;
  /** `counter` (default): independent of device and size; `torch`: the numbers of PyTorch's CPU generator. */
  readonly noise?: NoiseKind | undefined;
  /** Classifier-free guidance of undistilled models, 1 … 100; 1 or null: off. Default: the model's. */
  readonly guidance?: number | null | undefined;
  /** Whether guidance is ignored, as distilled weights need it. Default: what the model says of itself. */
  readonly distilled?: boolean | undefined;
  /** What guidance leads away from. */
  readonly negativePrompt?: string | undefined;
  /** Pictures to edit or combine, in order, at most four: encoded files or pixels. */
  readonly references?: readonly ImageInput[] | undefined;
  /** Default: `exact` where the weights are trained for it, else `recompute`. */
  readonly referenceMode?: ReferenceMode | undefined;
  /** Low-rank adapters, which add up. */
  readonly loras?: readonly LoraInput[] | undefined;
  /** Reuse between steps. Default: none, which changes no pixel. */
  readonly acceleration?: AccelerationPreset | AccelerationOptions | undefined;
  /** Whether step events carry a preview. Default: true. */
  readonly previews?: boolean | undefined;
}
