import type { SchedulerName } from "../../sampling/scheduler.ts";

/** The `imageInference` task of the hosted API: makes pictures from a prompt and references. */
export interface ImageInferenceTask {
  /** Always `imageInference`. */
  readonly taskType: "imageInference";
  /** A UUID of version 4, unique among the unfinished tasks. It identifies the task in every answer. */
  readonly taskUUID: string;
  /** How a picture is returned. Default: `URL`. */
  readonly outputType?: "URL" | "base64Data" | "dataURI" | undefined;
  /** File format of the pictures. Default: `JPG`. */
  readonly outputFormat?: "JPG" | "PNG" | "WEBP" | undefined;
  /** Quality of JPG and WEBP files, 20 … 99. Default: 95. */
  readonly outputQuality?: number | undefined;
  /** Address to which each result is posted as JSON. Default: none. */
  readonly webhookURL?: string | undefined;
  /** `async` is acknowledged at once; `getResponse` then returns the results. Default: `sync`. */
  readonly deliveryMethod?: "sync" | "async" | undefined;
  /** Address to which the bytes of each picture are sent by PUT. Default: none. */
  readonly uploadEndpoint?: string | undefined;
  /** Content check. There is none here: tasks that ask for it are refused. */
  readonly safety?: SafetyOptions | undefined;
  /** Seconds for which a URL stays valid, at least 60. Default: as long as there is room. */
  readonly ttl?: number | undefined;
  /** Whether results have the cost, which is 0. Default: false. */
  readonly includeCost?: boolean | undefined;
  /** Pictures to edit or combine. Default: none. */
  readonly inputs?: TaskInputs | undefined;
  /** Number of pictures, 1 … 20. Picture i has seed + i. Default: 1. */
  readonly numberResults?: number | undefined;
  /** The AIR id of a model, such as `runware:400@6`. */
  readonly model: string;
  /** What the picture shows, or what to change in the references. 1 … 10000 characters. */
  readonly positivePrompt: string;
  /** What the picture should not show; it counts only with guidance. 1 … 10000 characters; 2 … 3000 for 9B KV. */
  readonly negativePrompt?: string | undefined;
  /** Width in pixels, a multiple of 16 in 128 … 2048. */
  readonly width: number;
  /** Height in pixels, a multiple of 16 in 128 … 2048. */
  readonly height: number;
  /** 0 … 2⁶³ − 1, beyond 2⁵³ − 1 as bigint or string of digits. Default: a random unsigned 32-bit number. */
  readonly seed?: number | bigint | string | undefined;
  /** Denoising steps, 1 … 50. Default: 4 for distilled models, 28 for Base models. */
  readonly steps?: number | undefined;
  /** Solver and noise levels. Default: the model's own. */
  readonly scheduler?: SchedulerName | undefined;
  /** Guidance of Base models, 1 (off) … 20 in steps of 0.01. Default: 3.5. */
  readonly CFGScale?: number | undefined;
  /** Other spelling of the guidance. */
  readonly settings?: TaskSettings | undefined;
  /** A preset of step caching, for Base models. Default: `none`. */
  readonly acceleration?: "none" | "low" | "medium" | "high" | undefined;
  /** Step caching in detail, for Base models. */
  readonly acceleratorOptions?: AcceleratorOptions | undefined;
  /** LoRAs, at least one. Their effects add up. Default: none. */
  readonly lora?: readonly LoraOptions[] | undefined;
  /** Face refinement. There is none here: tasks that ask for it are checked, then refused. */
  readonly ultralytics?: FaceRefinementOptions | undefined;
  /** Other spelling of `ultralytics`. */
  readonly advancedFeatures?: AdvancedFeatures | undefined;
}

/** Content check of a task. */
export interface SafetyOptions {
  /** `true` is refused. Default: false. */
  readonly checkContent?: boolean | undefined;
  /** `fast` is refused. Default: `none`. */
  readonly mode?: "none" | "fast" | undefined;
}

/** Input pictures of a task. */
export interface TaskInputs {
  /** One to four pictures, each as the UUID of an output or upload, a URL, a data URI, or base64. */
  readonly referenceImages?: readonly string[] | undefined;
}

/** Other spelling of the guidance. */
export interface TaskSettings {
  /** Guidance, 1 (off) … 20 in steps of 0.01. Wins over `CFGScale`. */
  readonly trueCFGScale?: number | undefined;
}

/** Step caching. Set at most one of the three caches. Each end of its window is a step or a percentage. */
export interface AcceleratorOptions {
  /** First step, from 0, that may reuse computations. */
  readonly cacheStartStep?: number | undefined;
  /** The first step that may reuse computations, as a percentage of the steps, 0 … 99. */
  readonly cacheStartStepPercentage?: number | undefined;
  /** The step before which reuse ends: above the start, at most `steps`. */
  readonly cacheEndStep?: number | undefined;
  /** The step before which reuse ends, as a percentage of the steps, 1 … 100. */
  readonly cacheEndStepPercentage?: number | undefined;
  /** Steps in a row that may reuse computations, 1 … 5. Default: 3. */
  readonly cacheMaxConsecutiveSteps?: number | undefined;
  /** Whether to use the first-block cache. Default: false. */
  readonly fbCache?: boolean | undefined;
  /** Threshold of the first-block cache, 0 … 1 in steps of 0.01; larger values reuse more, 0 nothing. Default: 0.25. */
  readonly fbCacheThreshold?: number | undefined;
  /** Whether to use TeaCache. Default: false. */
  readonly teaCache?: boolean | undefined;
  /** Distance of TeaCache, 0 … 1 in steps of 0.01; larger values reuse more, 0 nothing. Default: 0.5. */
  readonly teaCacheDistance?: number | undefined;
  /** Whether to use the DB cache. Default: false. */
  readonly dbCache?: boolean | undefined;
  /** Threshold of the DB cache, 0 … 1 in steps of 0.01; larger values reuse more, 0 nothing. Default: 0.25. */
  readonly dbCacheThreshold?: number | undefined;
  /** DB cache: steps between two that compute everything, at least 1. Default: 5. */
  readonly dbCacheSkipInterval?: number | undefined;
}

/** A LoRA of a task. */
export interface LoraOptions {
  /** Its id in `loras` of the task runner, or its http(s) address. */
  readonly model: string;
  /** Strength, −4 … 4 in steps of 0.01. Default: 1. */
  readonly weight?: number | undefined;
  /** The steps in which it acts: `high` σ ≥ 0.875, `low` the rest. Default: `both`. */
  readonly transformer?: "high" | "low" | "both" | undefined;
}

/** Face refinement as `ultralytics` of a task spells it. It is not available here. */
export interface FaceRefinementOptions extends UltralyticsOptions {
  /** Checked, then refused. 128 … 2048. Default: 1024. */
  readonly inpaintSize?: number | undefined;
}

/** Other spelling of `ultralytics`. */
export interface AdvancedFeatures {
  /** Checked, then refused. */
  readonly ultralytics?: UltralyticsOptions | undefined;
}

/** Face refinement, which is not available here. */
export interface UltralyticsOptions {
  /** Guidance of the refinement, 0 … 50 in steps of 0.1. Default: 8. */
  readonly CFGScale?: number | undefined;
  /** Threshold of the detection, 0 … 1 in steps of 0.01. Default: 0.9. */
  readonly confidence?: number | undefined;
  /** Softness of the mask, 0 … 100. Default: 5. */
  readonly maskBlur?: number | undefined;
  /** Pixels around a face, 0 … 20. Default: 5. */
  readonly maskPadding?: number | undefined;
  /** What the refinement should not show. */
  readonly negativePrompt?: string | undefined;
  /** What the refinement should show. */
  readonly positivePrompt?: string | undefined;
  /** Steps of the refinement, 1 … 100. Default: 20. */
  readonly steps?: number | undefined;
  /** Strength of the refinement, 0 … 1 in steps of 0.01. Default: 0.3. */
  readonly strength?: number | undefined;
}

/** A checked task with the defaults of its model, without the fields that are always refused. */
export interface ResolvedImageInferenceTask {
  readonly taskType: "imageInference";
  readonly taskUUID: string;
  readonly outputType: "URL" | "base64Data" | "dataURI";
  readonly outputFormat: "JPG" | "PNG" | "WEBP";
  readonly outputQuality: number;
  readonly webhookURL: string | undefined;
  readonly deliveryMethod: "sync" | "async";
  readonly uploadEndpoint: string | undefined;
  readonly ttl: number | undefined;
  readonly includeCost: boolean;
  /** `inputs.referenceImages`, empty where there are none. */
  readonly referenceImages: readonly string[];
  readonly numberResults: number;
  readonly model: string;
  readonly positivePrompt: string;
  readonly negativePrompt: string | undefined;
  readonly width: number;
  readonly height: number;
  /** Of the first result; `undefined` asks for a random one. */
  readonly seed: bigint | undefined;
  readonly steps: number;
  readonly scheduler: SchedulerName | undefined;
  readonly CFGScale: number;
  readonly trueCFGScale: number | undefined;
  /** Guidance of the model: `trueCFGScale`, else `CFGScale`; null at 1 and for distilled models. */
  readonly guidance: number | null;
  readonly acceleration: "none" | "low" | "medium" | "high" | undefined;
  readonly acceleratorOptions: ResolvedAcceleratorOptions | undefined;
  readonly lora: readonly Required<LoraOptions>[];
  /** Fields that have no effect. */
  readonly warnings: readonly string[];
}

/** Accelerator options with their defaults; percentages have become steps. */
export interface ResolvedAcceleratorOptions {
  readonly fbCache: boolean;
  readonly fbCacheThreshold: number;
  readonly teaCache: boolean;
  readonly teaCacheDistance: number;
  readonly dbCache: boolean;
  readonly dbCacheThreshold: number;
  readonly dbCacheSkipInterval: number;
  readonly cacheMaxConsecutiveSteps: number;
  /** The first step that may reuse, from 0; `undefined` where the task does not say. */
  readonly cacheStartStep: number | undefined;
  /** The step before which reuse ends; `undefined` where the task does not say. */
  readonly cacheEndStep: number | undefined;
}
