import type { SchedulerName } from "../../sampling/scheduler.ts";

/** Pictures from a prompt, and from references where there are any: the hosted API's task of this name. */
export interface ImageInferenceTask {
  readonly taskType: "imageInference";
  /** A UUID of version 4, unique among the tasks that are not answered yet. */
  readonly taskUUID: string;
  /** Default: `URL`. */
  readonly outputType?: "URL" | "base64Data" | "dataURI" | undefined;
  /** Default: `JPG`. */
  readonly outputFormat?: "JPG" | "PNG" | "WEBP" | undefined;
  /** Of JPG and WEBP, 20 … 99. Default: 95. */
  readonly outputQuality?: number | undefined;
  /** Where each result is posted as JSON. */
  readonly webhookURL?: string | undefined;
  /** `async`: an acknowledgement now, the results by `getResponse`. Default: `sync`. */
  readonly deliveryMethod?: "sync" | "async" | undefined;
  /** Where each picture's bytes are put. */
  readonly uploadEndpoint?: string | undefined;
  /** There is no checker here: asking for one is refused. */
  readonly safety?: SafetyOptions | undefined;
  /** Seconds that a URL stays valid, at least 60. */
  readonly ttl?: number | undefined;
  /** The cost is 0. Default: false. */
  readonly includeCost?: boolean | undefined;
  readonly inputs?: TaskInputs | undefined;
  /** 1 … 20. Result i has seed + i. Default: 1. */
  readonly numberResults?: number | undefined;
  /** The AIR id of a model, such as `runware:400@6`. */
  readonly model: string;
  /** What the picture shows, or what to change in the references. 1 … 10000 characters. */
  readonly positivePrompt: string;
  /** What guidance leads away from. 1 … 10000 characters; 2 … 3000 for 9B KV. */
  readonly negativePrompt?: string | undefined;
  /** Pixels, a multiple of 16 in 128 … 2048. */
  readonly width: number;
  readonly height: number;
  /** 0 … 2⁶³ − 1, beyond 2⁵³ − 1 as bigint or string of digits. Default: a random unsigned 32-bit number. */
  readonly seed?: number | bigint | string | undefined;
  /** 1 … 50. Default: 4 for distilled models, 28 for Base ones. */
  readonly steps?: number | undefined;
  /** Default: the model's own. */
  readonly scheduler?: SchedulerName | undefined;
  /** Guidance of Base models, 1 (off) … 20 in steps of 0.01. Default: 3.5. */
  readonly CFGScale?: number | undefined;
  readonly settings?: TaskSettings | undefined;
  /** A preset of step caching for Base models. Left out: none, so that it changes no pixel. */
  readonly acceleration?: "none" | "low" | "medium" | "high" | undefined;
  /** Step caching in detail, for Base models. */
  readonly acceleratorOptions?: AcceleratorOptions | undefined;
  /** At least one. */
  readonly lora?: readonly LoraOptions[] | undefined;
  /** Not built: checked, then refused. */
  readonly ultralytics?: (UltralyticsOptions & { readonly inpaintSize?: number | undefined }) | undefined;
  readonly advancedFeatures?: AdvancedFeatures | undefined;
}

export interface SafetyOptions {
  /** Default: false. */
  readonly checkContent?: boolean | undefined;
  /** Default: `none`. */
  readonly mode?: "none" | "fast" | undefined;
}

export interface TaskInputs {
  /** One to four: the UUID of an output or an upload, a URL, a data URI, or base64. */
  readonly referenceImages?: readonly string[] | undefined;
}

export interface TaskSettings {
  /** Guidance, 1 (off) … 20 in steps of 0.01. Wins over `CFGScale`. */
  readonly trueCFGScale?: number | undefined;
}

/** At most one of the three caches. Its window is given in steps or in percentages, each end in one of the two. */
export interface AcceleratorOptions {
  /** The step, from 0, from which computations may be reused. */
  readonly cacheStartStep?: number | undefined;
  /** 0 … 99. */
  readonly cacheStartStepPercentage?: number | undefined;
  /** The step before which reuse ends: above the start, at most `steps`. */
  readonly cacheEndStep?: number | undefined;
  /** 1 … 100. */
  readonly cacheEndStepPercentage?: number | undefined;
  /** 1 … 5. Default: 3. */
  readonly cacheMaxConsecutiveSteps?: number | undefined;
  /** First-block cache. Default: false. */
  readonly fbCache?: boolean | undefined;
  /** 0 … 1 in steps of 0.01; larger reuses more, 0 nothing. Default: 0.25. */
  readonly fbCacheThreshold?: number | undefined;
  /** TeaCache. Default: false. */
  readonly teaCache?: boolean | undefined;
  /** 0 … 1 in steps of 0.01; larger reuses more, 0 nothing. Default: 0.5. */
  readonly teaCacheDistance?: number | undefined;
  /** DB cache. Default: false. */
  readonly dbCache?: boolean | undefined;
  /** 0 … 1 in steps of 0.01; larger reuses more, 0 nothing. Default: 0.25. */
  readonly dbCacheThreshold?: number | undefined;
  /** At least 1. Default: 5. */
  readonly dbCacheSkipInterval?: number | undefined;
}

export interface LoraOptions {
  /** The id that the LoRA has in the model registry, or its address. */
  readonly model: string;
  /** −4 … 4 in steps of 0.01. Default: 1. */
  readonly weight?: number | undefined;
  /** The steps that it acts in: `high` σ ≥ 0.875, `low` the rest. Default: `both`. */
  readonly transformer?: "high" | "low" | "both" | undefined;
}

export interface AdvancedFeatures {
  /** Not built: checked, then refused. */
  readonly ultralytics?: UltralyticsOptions | undefined;
}

/** Face refinement. */
export interface UltralyticsOptions {
  /** 0 … 50 in steps of 0.1. Default: 8. */
  readonly CFGScale?: number | undefined;
  /** 0 … 1 in steps of 0.01. Default: 0.9. */
  readonly confidence?: number | undefined;
  /** 0 … 100. Default: 5. */
  readonly maskBlur?: number | undefined;
  /** 0 … 20. Default: 5. */
  readonly maskPadding?: number | undefined;
  readonly negativePrompt?: string | undefined;
  readonly positivePrompt?: string | undefined;
  /** 1 … 100. Default: 20. */
  readonly steps?: number | undefined;
  /** 0 … 1 in steps of 0.01. Default: 0.3. */
  readonly strength?: number | undefined;
}

/** A task with its model's defaults, after every check. What is refused when asked for is not in it. */
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
  /** What the model is guided with: `trueCFGScale`, else `CFGScale`; null at 1 and for distilled models. */
  readonly guidance: number | null;
  readonly acceleration: "none" | "low" | "medium" | "high" | undefined;
  readonly acceleratorOptions: ResolvedAcceleratorOptions | undefined;
  readonly lora: readonly Required<LoraOptions>[];
  /** What was asked for and has no effect. */
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
