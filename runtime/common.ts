/** What pages and Node have in common. */
export { KleinbildError, type ErrorDetails, type KleinbildErrorCode } from "./errors.ts";
export type { EngineInfo } from "./engine/engine.ts";
export type { EngineOptions } from "./engine/engine-options.ts";
export type {
  DecodeEvent,
  EncodeEvent,
  LoadEvent,
  ModelPart,
  RunEvent,
  RunReport,
  StageTimings,
  StepEvent,
} from "./events.ts";
export type { TileName } from "./backend/wgsl/tiles.ts";
export type { BackendName, BackendOption } from "./backend/backend.ts";
export type { Operator } from "./backend/operators.ts";
export type { CandidateResult } from "./autotune/fastest.ts";
export type { Implementation } from "./backend/operators.ts";
export type { TunedOperator } from "./autotune/tuning-cache.ts";
export type { DenseReport, OperatorReport } from "./autotune/open-dense-backend.ts";
export type { AdapterSummary } from "./gpu/adapter.ts";
export type { MemoryCategory, MemoryReport, MemoryUse } from "./gpu/memory.ts";
export type { GpuFeature } from "./gpu/device.ts";
export type { ScalarType } from "./gpu/tensor.ts";
export type { EncodedImage, EncodeOptions, Encoding, ImageType } from "./image/codec.ts";
export type { GeneratedImage } from "./image/generated.ts";
export { type ImageMetadata, type LoraMetadata, readMetadata } from "./image/metadata.ts";
export type { PixelImage } from "./image/pixels.ts";
export type { ImageInput } from "./image/read.ts";
export type { GenerateEvent, GenerateResult, Generation, ResultEvent } from "./remote/generation.ts";
export type { CommonOptions, Kleinbild } from "./remote/kleinbild.ts";
export type { LoraStages } from "./pipeline/pipeline-request.ts";
export type { GenerateRequest } from "./request/request.ts";
export type { AccelerationOptions, AccelerationPreset } from "./request/acceleration.ts";
export type { LoraInput } from "./request/loras.ts";
export type { Availability, AvailabilityOptions, StoreNeeds } from "./models/availability.ts";
export type { Models, ModelsDownloadOptions } from "./models/models.ts";
export type { PrepareOptions } from "./models/prepare-model.ts";
export type { PlannedRequest, Size } from "./memory-plan/planned-request.ts";
export type { CategoryBytes, PartWeights } from "./memory-plan/stage-meter.ts";
export type { Residency, Stage } from "./pipeline/stages.ts";
export type { MemoryPlan, PlannedStage } from "./memory-plan/memory-plan.ts";
export type { NoiseKind } from "./sampling/noise.ts";
export type { SigmaSpacing } from "./sampling/schedule.ts";
export type { SolverName } from "./sampling/solver.ts";
export { SCHEDULERS, type Scheduler, type SchedulerName } from "./sampling/scheduler.ts";
export type { ReferenceCacheStatistics } from "./transformer/reference-cache.ts";
export type { ReferenceMode } from "./transformer/denoiser.ts";
export type { ApiError } from "./task/schema/api-error.ts";
export type { TaskRunnerOptions } from "./task/runner/create-task-runner.ts";
export { createFetchHandler, type FetchHandler, type FetchHandlerOptions } from "./task/serve/fetch-handler.ts";
export type {
  AcceleratorOptions,
  AdvancedFeatures,
  FaceRefinementOptions,
  ImageInferenceTask,
  LoraOptions,
  SafetyOptions,
  TaskInputs,
  TaskSettings,
  UltralyticsOptions,
} from "./task/schema/image-inference-task.ts";
export type { Weights } from "./task/runner/image-inference.ts";
export type { AllowHost, Fetch } from "./task/net/limited-fetch.ts";
export type { MediaFile, MediaSource } from "./task/serve/media-response.ts";
export type { MediaStore, MediaStoreStatistics, PutOptions, MediaUrls, StoredMedia } from "./task/media/media-store.ts";
export type { ManifestFile, ModelManifest } from "./task/runner/model-registry.ts";
export type {
  ImageItem,
  ImageUploadItem,
  PendingItem,
  ResponseItem,
  RunSummary,
  TaskResponse,
} from "./task/schema/response.ts";
export type { GetResponseTask, ImageUploadTask } from "./task/schema/schema.ts";
export type { RemoteServer } from "./task/runner/remote.ts";
export type { LocalTaskRunner, RemoteChoice } from "./task/runner/task-runner.ts";
export type { RunTasksOptions, TaskRunner } from "./task/runner/task-runner-types.ts";
export type {
  ModelConfig,
  ModelVariant,
  TextEncoderConfig,
  TransformerConfig,
  VaeConfig,
} from "./weights/config/model-config.ts";
export type { WeightPart } from "./weights/inventory.ts";
export type { PartRecognition } from "./weights/tensor-store.ts";
export type { Quantization } from "./weights/loader/weight-loader.ts";
export type { ModelRecognition } from "./weights/open-model.ts";
export type { QuantizationMethod } from "./weights/quantize.ts";
export type { Damage } from "./weights/store/model-store.ts";
export type { StorageReport } from "./weights/store/store-backend.ts";
export type { StoredFile, StoredModel } from "./weights/store/stored-model.ts";
