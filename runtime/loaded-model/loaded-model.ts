import type { BackendOption, DenseBackend } from "../backend/backend.ts";
import type { BackendsByOperator } from "../backend/operators.ts";
import { type DenseReport, type TunedBackend, openDenseBackend } from "../autotune/open-dense-backend.ts";
import type { TuningStorage } from "../autotune/tuning-cache.ts";
import type { ModelPart } from "../events.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import { type ModelParts, describeParts } from "./model-parts.ts";
import { rowsPerChunk } from "./rows-per-chunk.ts";
import { EmbeddingTable } from "../text/embedding.ts";
import { PromptEmbeddingCache } from "../text/prompt-embedding-cache.ts";
import { PromptTokenizer } from "../text/tokenizer.ts";
import type { TransformerModel } from "../transformer/model.ts";
import { ReferenceCache } from "../transformer/reference-cache.ts";
import type { Autoencoder } from "../vae/autoencoder.ts";
import { PreviewModel } from "../vae/preview.ts";
import type { WeightPart } from "../weights/inventory.ts";
import { type Quantization, WeightLoader } from "../weights/loader/weight-loader.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import type { OpenModel } from "../weights/open-model.ts";
import type { QuantizationMethod } from "../weights/quantize.ts";

export interface LoadedModelOptions {
  readonly gpu: Gpu;
  readonly model: OpenModel;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly quantizationMethod: QuantizationMethod;
  readonly backend: BackendOption;
  /** Most bytes of cached reference keys and values. */
  readonly referenceCacheBytes: number;
  readonly ortWasmUrl?: string | undefined;
  readonly tuningCache?: TuningStorage | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of the parts that this call loads, as they lie in the files. */
  readonly onProgress?: ((part: ModelPart, loadedBytes: number, totalBytes: number) => void) | undefined;
}

/** The members of a model that are the same on every device. */
export interface SharedSetup {
  readonly model: Pick<OpenModel, "config" | "stores">;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly quantizationMethod: QuantizationMethod;
  readonly referenceCacheBytes: number;
  readonly tokenizer: Pick<PromptTokenizer, "encode">;
  readonly rowsPerChunk: number;
  readonly dense: Omit<TunedBackend, "backend">;
}

/** The members that belong to one device. */
export interface DeviceSetup {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  readonly embedding: Pick<EmbeddingTable, "lookUp">;
  /** On a null device: weights get their shapes, and no file is read. */
  readonly withoutValues: boolean;
}

/**
 * A model on one device. `load` loads weights and `keepOnly` frees them; everything else stays until `dispose`.
 *
 * Open one with `LoadedModel.open`, which loads no part yet, or with `openNullModel`.
 */
export class LoadedModel {
  readonly gpu: Gpu;
  /** Rows of a token stream that go through dense operators at once. */
  readonly rowsPerChunk: number;
  readonly tokenizer: Pick<PromptTokenizer, "encode">;
  /** Prompts in this cache need no text encoder. */
  readonly promptEmbeddings: PromptEmbeddingCache;
  readonly referenceCache: ReferenceCache;
  readonly preview: PreviewModel;
  /** Identifies this set of weights. The weights never change, so a cache key needs no hash of them. */
  readonly fingerprint: string = crypto.randomUUID();
  readonly #shared: SharedSetup;
  readonly #device: DeviceSetup;
  readonly #parts: ModelParts;

  constructor(shared: SharedSetup, device: DeviceSetup) {
    const { gpu, backend, embedding } = device;
    const { scalar, model, rowsPerChunk } = shared;
    this.gpu = gpu;
    this.rowsPerChunk = rowsPerChunk;
    this.tokenizer = shared.tokenizer;
    this.#shared = shared;
    this.#device = device;
    this.#parts = describeParts({ gpu, backend, scalar, model, embedding, rowsPerChunk });
    const { textEncoder, vae } = this.#parts;
    this.promptEmbeddings = new PromptEmbeddingCache(gpu.memory, {
      encode: (...call) => textEncoder.value.encode(...call),
    });
    this.referenceCache = new ReferenceCache(gpu.memory, shared.referenceCacheBytes);
    this.preview = new PreviewModel(gpu, model.config.vae, (...call) => vae.value.encode(...call));
  }

  /** Reads the tokenizer and chooses the dense backend. */
  static async open(options: LoadedModelOptions): Promise<LoadedModel> {
    const { gpu, model, scalar } = options;
    const { config, stores } = model;
    const tokenizerFiles = await model.readTokenizer();
    const tokenizer = PromptTokenizer.create(tokenizerFiles.json, tokenizerFiles.config);
    const embedding = new EmbeddingTable(stores.textEncoder, config.text.vocab, config.text.hidden);
    const rows = rowsPerChunk(config, scalar, gpu.memory.maxBindingBytes);
    const dense = await openDenseBackend({ ...options, config });
    return new LoadedModel(
      { ...options, tokenizer, rowsPerChunk: rows, dense },
      { gpu, backend: dense.backend, embedding, withoutValues: false },
    );
  }

  get config(): ModelConfig {
    return this.#shared.model.config;
  }

  /** Of branch activations and 16-bit weights. */
  get scalar(): ScalarType {
    return this.#shared.scalar;
  }

  get quantization(): Quantization {
    return this.#shared.quantization;
  }

  /** Which backend computes each kind of dense operator. */
  get backends(): BackendsByOperator {
    return this.#shared.dense.backends;
  }

  /** The same with the reasons. */
  get dense(): DenseReport {
    return this.#shared.dense.report;
  }

  /** @throws KleinbildError `internal` while it is not loaded */
  get transformer(): TransformerModel {
    return this.#parts.transformer.value;
  }

  /** @throws KleinbildError `internal` while it is not loaded */
  get vae(): Autoencoder {
    return this.#parts.vae.value;
  }

  /** Whether the weights of a part are on the GPU. */
  isLoaded(part: WeightPart): boolean {
    return this.#parts[part].isLoaded;
  }

  /** Loads the parts that are not loaded yet. */
  async load(parts: readonly WeightPart[], { signal, onProgress }: LoadOptions = {}): Promise<void> {
    const { scalar, quantization, quantizationMethod, model } = this.#shared;
    const { backend, withoutValues } = this.#device;
    const missing = parts.map((part) => this.#parts[part]).filter(({ isLoaded }) => !isLoaded);
    const totalBytes = missing.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    let loadedBytes = 0;
    for (const part of missing) {
      const { name } = part;
      const onBytes = (bytes: number): void => {
        loadedBytes += bytes;
        onProgress?.(name, loadedBytes, totalBytes);
      };
      await part.load(
        new WeightLoader({
          gpu: this.gpu,
          store: model.stores[name],
          part: name,
          scalar,
          quantization,
          quantizationMethod,
          kernelLayout: backend.kernelLayout,
          withoutValues,
          signal,
          onBytes,
        }),
      );
    }
    await this.gpu.recorder.settle();
  }

  /** Frees the weights of all other parts, once the GPU has finished with them. */
  async keepOnly(parts: readonly WeightPart[]): Promise<void> {
    const leaving = Object.values(this.#parts).filter(({ name, isLoaded }) => isLoaded && !parts.includes(name));
    if (leaving.length === 0) return;
    await this.gpu.recorder.settle();
    for (const part of leaving) part.free();
  }

  /** The same model on a null device, with weights of the same shapes and without values. */
  async onNullDevice(): Promise<LoadedModel> {
    const gpu = this.gpu.onNullDevice();
    const { hidden } = this.config.text;
    return new LoadedModel(this.#shared, {
      gpu,
      backend: await this.#shared.dense.onNullDevice(gpu),
      embedding: { lookUp: async (ids) => new Float32Array(ids.length * hidden) },
      withoutValues: true,
    });
  }

  /** Frees the buffers that the dense backend pools; it allocates new ones when it needs them. */
  async releasePool(): Promise<void> {
    await this.#device.backend.dispose();
  }

  /** Frees everything but the device. */
  async dispose(): Promise<void> {
    this.promptEmbeddings.dispose();
    this.referenceCache.clear();
    for (const part of Object.values(this.#parts)) part.free();
    await this.#device.backend.dispose();
  }
}
