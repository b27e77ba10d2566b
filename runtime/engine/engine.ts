import { checkEngineOptions, type EngineOptions } from "./engine-options.ts";
import { describeResult, type EngineResult } from "./engine-result.ts";
import type { RunEvent } from "../events.ts";
import { DEFAULT_BACKEND } from "../backend/backend.ts";
import type { DenseReport } from "../autotune/open-dense-backend.ts";
import type { TuningStorage } from "../autotune/tuning-cache.ts";
import { KleinbildError } from "../errors.ts";
import type { AdapterSummary } from "../gpu/adapter.ts";
import { Gpu } from "../gpu/device.ts";
import type { MemoryReport } from "../gpu/memory.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { ImageCodec } from "../image/codec.ts";
import type { PixelImage } from "../image/pixels.ts";
import { prepareReference } from "../image/prepare.ts";
import { type ImageInput, readImage } from "../image/read.ts";
import { withEvents } from "../async/event-stream.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { LoadedModel, type LoadOptions } from "../loaded-model/loaded-model.ts";
import { runPipeline } from "../pipeline/run-pipeline.ts";
import { dryRun } from "./dry-run.ts";
import type { GenerateRequest } from "../request/request.ts";
import { type ResolvedRequest, resolveRequest } from "../request/resolve-request.ts";
import { readLoras } from "../request/loras.ts";
import { resolveRun } from "../request/resolve-run.ts";
import { pictureSeeds } from "../sampling/seed.ts";
import type { ReferenceCacheStatistics } from "../transformer/reference-cache.ts";
import { defaultQuantization } from "../weights/default-quantization.ts";
import { WEIGHT_PARTS } from "../weights/inventory.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { type ModelRecognition, openModel, type OpenModel } from "../weights/open-model.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";

/** The facilities that differ between a page's worker and Node. */
export interface Platform {
  readonly gpu: GPU;
  readonly codec: ImageCodec;
  /** Address of onnxruntime's wasm file. Default: the one that onnxruntime resolves. */
  readonly ortWasmUrl?: string | undefined;
  /** Remembers the fastest dense implementations. Without it, each start measures them again. */
  readonly tuningCache?: TuningStorage | undefined;
}

export type EngineEvent = RunEvent | EngineResult;

/** State of an engine whose model has loaded. */
export interface EngineInfo {
  /** Shapes and defaults of the model. */
  readonly model: ModelConfig;
  /** How the model's files were recognized. */
  readonly recognition: ModelRecognition;
  /** Scalar type of weights and branch activations. It changes to f32 when an f16 run overflows. */
  readonly dtype: ScalarType;
  /** How block matrices are stored on the GPU. */
  readonly quantization: Quantization;
  /** The implementations of the dense operators. */
  readonly dense: DenseReport;
  /** The GPU adapter. */
  readonly adapter: AdapterSummary;
  /** GPU memory in use, and its peak since the start of the last run. */
  readonly memory: MemoryReport;
  /** State of the cache of reference keys and values. */
  readonly referenceCache: ReferenceCacheStatistics;
}

type OnLoad = (event: Extract<RunEvent, { type: "load" }>) => void;

const DEFAULT_REFERENCE_CACHE_BYTES = 2 ** 30;
/** Errors that the GPU may report after a wrong result has already been cached. */
const GPU_FAILURES: ReadonlySet<string> = new Set(["out-of-memory", "gpu-validation", "not-finite"]);

/**
 * A model on a device, which runs one request at a time. After a lost device, and after f16 that overflows, it loads the model
 * again (in the latter case in f32) and continues with the first picture that is not done.
 */
export class Engine {
  readonly #platform: Platform;
  readonly #source: ModelSource;
  readonly #files: OpenModel;
  readonly #budget: MemoryBudget | undefined;
  #options: EngineOptions;
  #model: LoadedModel | undefined;
  #disposed = false;
  /** Settles when the last run in the queue is over. */
  #lastRun: Promise<unknown> = Promise.resolve();

  private constructor(platform: Platform, source: ModelSource, files: OpenModel, options: EngineOptions) {
    this.#platform = platform;
    this.#source = source;
    this.#files = files;
    this.#options = options;
    const { memoryBudgetBytes } = options;
    this.#budget = memoryBudgetBytes === undefined ? undefined : new MemoryBudget(memoryBudgetBytes);
  }

  /** Reads the headers of the model's files, and loads the weights that the budget has room for. Takes ownership of `source`. */
  static async create(
    platform: Platform,
    source: ModelSource,
    options: EngineOptions = {},
    { signal, onLoad }: { readonly signal?: AbortSignal | undefined; readonly onLoad?: OnLoad | undefined } = {},
  ): Promise<Engine> {
    try {
      checkEngineOptions(options);
      const engine = new Engine(platform, source, await openModel(source, { signal }), options);
      await engine.#load(signal, onLoad);
      return engine;
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  get config(): ModelConfig {
    return this.#files.config;
  }

  /** @throws KleinbildError `disposed` */
  get info(): EngineInfo {
    const { gpu, scalar, quantization, dense, referenceCache } = this.model;
    return {
      model: this.config,
      recognition: this.#files.recognition,
      dtype: scalar,
      quantization,
      dense,
      adapter: gpu.adapter,
      memory: gpu.memory.report(),
      referenceCache: referenceCache.statistics,
    };
  }

  /** The loaded model, for tools that run stages by themselves. @throws KleinbildError `disposed` */
  get model(): LoadedModel {
    if (this.#disposed || !this.#model) throw new KleinbildError("disposed", "The engine was disposed of.");
    return this.#model;
  }

  /**
   * Runs a request when those before it are over. Ending the iteration early frees the run's memory.
   * @throws KleinbildError, or the signal's reason
   */
  async *generate(request: GenerateRequest, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
    const previous = this.#lastRun;
    let release = (): void => {};
    this.#lastRun = new Promise<void>((resolve) => (release = resolve));
    try {
      await previous;
      signal?.throwIfAborted();
      return yield* this.#runOrRecover(resolveRequest(request, this.config), signal);
    } finally {
      release();
    }
  }

  /** Frees everything, after the run in progress. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    const previous = this.#lastRun;
    this.#lastRun = previous.then(() => this.#unload());
    await this.#lastRun;
    await this.#source.close();
  }

  async #load(signal?: AbortSignal, onLoad?: OnLoad): Promise<void> {
    const {
      dtype,
      quantization = defaultQuantization(this.#files),
      quantizationMethod = "mse",
      backend = DEFAULT_BACKEND,
      warmUp: warmsUp = true,
      referenceCacheBytes = DEFAULT_REFERENCE_CACHE_BYTES,
    } = this.#options;
    const gpu = await Gpu.open(this.#platform.gpu, this.#options);
    let model: LoadedModel | undefined;
    try {
      const opened = await LoadedModel.open({
        gpu,
        model: this.#files,
        scalar: gpu.scalarType(dtype),
        quantization,
        quantizationMethod,
        backend,
        referenceCacheBytes,
        ortWasmUrl: this.#platform.ortWasmUrl,
        tuningCache: this.#platform.tuningCache,
        signal,
      });
      model = opened;
      const onProgress: LoadOptions["onProgress"] = (part, loadedBytes, totalBytes) =>
        onLoad?.({ type: "load", stage: "gpu", part, loadedBytes, totalBytes });
      const first = (await this.#budget?.first(opened)) ?? WEIGHT_PARTS;
      await gpu.checked("loading", async () => {
        const warm = warmsUp ? warmUp(opened, signal) : undefined;
        try {
          await opened.load(first, { signal, onProgress });
        } finally {
          await warm;
        }
      });
      this.#model = opened;
    } catch (error) {
      await model?.dispose();
      gpu.destroy();
      throw error;
    }
  }

  /** @param first  number of the first picture that is not done yet */
  async *#run(
    request: ResolvedRequest,
    first: number,
    moreWarnings: readonly string[],
    signal?: AbortSignal,
  ): AsyncGenerator<EngineEvent, void> {
    const { model } = this;
    const references: PixelImage[] = [];
    for (const [i, input] of request.references.entries()) references.push(await this.#readReference(input, i, signal));
    const loras = await readLoras(request.loras);
    const seeds = pictureSeeds(request.seed, request.results).slice(first);
    const run = resolveRun(request, this.config, references, loras, seeds);
    const residency = await this.#budget?.makeRoom(model, run);
    model.gpu.memory.resetPeak();
    for await (const event of runPipeline(model, run, { signal, residency })) {
      if (!("result" in event)) {
        yield event;
        continue;
      }
      const result = event.result + first;
      if (event.type !== "picture") yield { ...event, result };
      else {
        const warnings = [...request.warnings, ...event.warnings, ...moreWarnings];
        yield describeResult(model, request, run, { ...event, result, warnings }, seeds[event.result]!);
      }
    }
  }

  async #readReference(input: ImageInput, index: number, signal?: AbortSignal): Promise<PixelImage> {
    try {
      return await prepareReference(await readImage(input, this.#platform.codec, signal));
    } catch (cause) {
      if (!(cause instanceof KleinbildError)) throw cause;
      const details = { ...cause.details, parameter: "references", index };
      throw new KleinbildError(cause.code, `Reference ${index + 1}: ${cause.message}`, details, { cause });
    }
  }

  /** Runs a request. When it fails in a way that another load mends, loads the model again and runs the rest of it. */
  async *#runOrRecover(request: ResolvedRequest, signal?: AbortSignal): AsyncGenerator<EngineEvent, void> {
    let done = 0;
    try {
      for await (const event of this.#run(request, done, [], signal)) {
        yield event;
        if (event.type === "result") done++;
      }
    } catch (error) {
      const warning = this.#remedy(error);
      if (warning === undefined) {
        this.#clearCaches(error);
        throw error;
      }
      await this.#unload();
      yield* withEvents<RunEvent, void>((emit) => this.#load(signal, emit));
      yield* this.#run(request, done, [warning], signal);
    }
  }

  /** The warning of a second try, for an error after which one makes sense. Decides how the model is loaded for it. */
  #remedy(error: unknown): string | undefined {
    if (!(error instanceof KleinbildError) || this.#disposed) return undefined;
    if (error.code === "device-lost" || this.#model?.gpu.lost)
      return "The GPU was lost; the model was loaded again and the request run again.";
    if (error.code !== "not-finite" || this.#model?.scalar !== "f16") return undefined;
    this.#options = { ...this.#options, dtype: "f32" };
    return "f16 overflowed; the model was loaded again in f32 and the request run again.";
  }

  /** The GPU reports errors late, so entries that the failed run cached may be wrong. */
  #clearCaches(error: unknown): void {
    if (!(error instanceof KleinbildError) || !GPU_FAILURES.has(error.code)) return;
    this.#model?.promptEmbeddings.clear();
    this.#model?.referenceCache.clear();
  }

  async #unload(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    if (!model) return;
    await model.dispose();
    model.gpu.destroy();
  }
}

/** Compiles the pipelines of pictures and edits. When that fails, each is compiled, or refused with its reason, at its first use. */
async function warmUp(model: LoadedModel, signal?: AbortSignal): Promise<void> {
  try {
    await model.gpu.warmUp(await dryRun(model, signal), signal);
  } catch (error) {
    if (!(error instanceof KleinbildError) && !signal?.aborted) throw error;
  }
}
