/** What pages and Node have in common. */
export { KleinbildError, type ErrorDetails, type KleinbildErrorCode } from "./errors.ts";
export type { EngineInfo } from "./engine.ts";
export type {
  DecodeEvent,
  EncodeEvent,
  GenerateEvent,
  LoadEvent,
  ModelPart,
  RunReport,
  StageTimings,
  StepEvent,
} from "./events.ts";
export type { AdapterSummary } from "./gpu/adapter.ts";
export type { MemoryPart, MemoryReport } from "./gpu/memory.ts";
export type { EncodedImage, EncodeOptions, ImageType } from "./image/codec.ts";
export type { GeneratedImage } from "./image/generated.ts";
export { type ImageMetadata, readMetadata } from "./image/metadata.ts";
export type { PixelImage } from "./image/pixels.ts";
export type { ImageInput } from "./image/read.ts";
export type { CommonOptions, GenerateResult, Generation, Kleinbild } from "./kleinbild.ts";
export type { GenerateRequest } from "./request.ts";
export type { NoiseKind } from "./sampling/noise.ts";
export type { ReferenceCacheStatistics } from "./transformer/reference-cache.ts";
export type { ReferenceMode } from "./transformer/denoiser.ts";
export type { ModelConfig } from "./weights/model-config.ts";
export type { Quantization } from "./weights/loader.ts";
