import type { BackendOption, DenseBackend } from "../backend/backend.ts";
import type { BackendsByOperator } from "../backend/operators.ts";
import { type DenseReport, type TunedBackend, openDenseBackend } from "../autotune/open-dense-backend.ts";
import type { TuningStorage } from "../autotune/tuning-cache.ts";
import type { ModelPart } from "../events.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import { rowsPerChunk } from "./rows-per-chunk.ts";
import { ResidentPart } from "./resident-part.ts";
import { EmbeddingTable } from "../text/embedding.ts";
import { TextEncoder } from "../text/encoder.ts";
import { PromptEmbeddingCache } from "../text/prompt-embedding-cache.ts";
import { PromptTokenizer } from "../text/tokenizer.ts";
import { loadTextEncoderWeights } from "../text/weights.ts";
import { TransformerModel } from "../transformer/model.ts";
import { ReferenceCache } from "../transformer/reference-cache.ts";
import { loadTransformerWeights } from "../transformer/weights.ts";
import { Autoencoder } from "../vae/autoencoder.ts";
import { PreviewModel } from "../vae/preview.ts";
import { loadVaeWeights } from "../vae/weights.ts";
import { inventory, type WeightPart } from "../weights/inventory.ts";
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
  readonly referenceCacheBytes: number;
  readonly ortWasmUrl?: string | undefined;
  readonly tuningCache?: TuningStorage | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of the parts that are loaded by this call, as they lie in the files. */
  readonly onProgress?: ((part: ModelPart, loadedBytes: number, totalBytes: number) => void) | undefined;
}

/** The parts of a model on one device. Weights come with `load` and go with `keepOnly`; everything else stays. */
export interface LoadedModel {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  /** What computes the dense layers, by kind and with the reasons. */
  readonly backends: BackendsByOperator;
  readonly dense: DenseReport;
  /** Rows of a token stream that go through dense operators at once. */
  readonly rowsPerChunk: number;
  readonly tokenizer: PromptTokenizer;
  /** Kept states need no text encoder, others do. */
  readonly promptEmbeddings: PromptEmbeddingCache;
  /** @throws KleinbildError `internal` while it is not loaded; so does `vae` */
  readonly transformer: TransformerModel;
  readonly referenceCache: ReferenceCache;
  readonly vae: Autoencoder;
  readonly preview: PreviewModel;
  /** Names this set of weights and no other; it never changes, so what it holds needs no hashing. */
  readonly fingerprint: string;
  /** Whether the weights of a part are on the GPU. */
  isLoaded(part: WeightPart): boolean;
  /** Loads those of `parts` that are not there. */
  load(parts: readonly WeightPart[], options?: LoadOptions): Promise<void>;
  /** Frees the weights of all other parts, once the GPU has done with them. */
  keepOnly(parts: readonly WeightPart[]): Promise<void>;
  /** The same on a device that does nothing, with weights of these shapes and no values. */
  onNullDevice(): Promise<LoadedModel>;
  /** Gives back the buffers that the dense backend keeps; it takes new ones as it needs them. */
  releasePool(): Promise<void>;
  /** Frees everything but the device. */
  dispose(): Promise<void>;
}

/** The parts of a model, none of them loaded yet. */
export async function openLoadedModel(options: LoadedModelOptions): Promise<LoadedModel> {
  const { gpu, model, scalar } = options;
  const { config, stores } = model;
  const tokenizerFiles = await model.readTokenizer();
  const tokenizer = PromptTokenizer.create(tokenizerFiles.json, tokenizerFiles.config);
  const embedding = new EmbeddingTable(stores.textEncoder, config.text.vocab, config.text.hidden);
  const chunk = rowsPerChunk(config, scalar, gpu.memory.maxBindingBytes);
  const dense = await openDenseBackend({ ...options, config });
  return assembleModel({ ...options, tokenizer, embedding, chunk, dense }, gpu, dense.backend);
}

interface Shared extends LoadedModelOptions {
  readonly tokenizer: PromptTokenizer;
  readonly embedding: Pick<EmbeddingTable, "lookUp">;
  readonly chunk: number;
  readonly dense: TunedBackend;
}

/** @param withoutValues  for a device that does nothing: nothing is read */
function assembleModel(shared: Shared, gpu: Gpu, backend: DenseBackend, withoutValues = false): LoadedModel {
  const { model, scalar, quantization, quantizationMethod, tokenizer, embedding, chunk, dense } = shared;
  const { config, stores } = model;
  /** What a load reads: tables stay with the file. */
  const fileBytes = (part: WeightPart): number =>
    inventory(config, part).reduce(
      (sum, { name, role }) => sum + (role === "table" ? 0 : stores[part].bytesOf(name)),
      0,
    );
  const layers = Math.max(...config.textLayers);

  const textEncoder = new ResidentPart(
    "textEncoder",
    fileBytes("textEncoder"),
    async (loader) =>
      new TextEncoder({
        gpu,
        backend,
        scalar,
        config: config.text,
        layers: await loadTextEncoderWeights(loader, config.text, layers),
        stacked: config.textLayers,
        embedding,
        rowsPerChunk: chunk,
      }),
  );
  const transformer = new ResidentPart("transformer", fileBytes("transformer"), async (loader) => {
    const weights = await loadTransformerWeights(loader, config.transformer);
    return new TransformerModel(gpu, backend, scalar, config.transformer, weights, chunk);
  });
  const vae = new ResidentPart(
    "vae",
    fileBytes("vae"),
    async (loader) => new Autoencoder(gpu, backend, scalar, config.vae, await loadVaeWeights(loader, config.vae)),
  );
  const all = { textEncoder, transformer, vae } as const;
  const promptEmbeddings = new PromptEmbeddingCache(gpu.memory, {
    encode: (...call) => textEncoder.value.encode(...call),
  });
  const referenceCache = new ReferenceCache(gpu.memory, shared.referenceCacheBytes);
  const keepOnly = async (parts: readonly WeightPart[]): Promise<void> => {
    const leaving = Object.values(all).filter(({ name, isLoaded }) => isLoaded && !parts.includes(name));
    if (leaving.length === 0) return;
    await gpu.recorder.settle();
    for (const part of leaving) part.free();
  };
  return {
    gpu,
    config,
    scalar,
    quantization,
    backends: dense.backends,
    dense: dense.report,
    rowsPerChunk: chunk,
    tokenizer,
    promptEmbeddings,
    get transformer() {
      return transformer.value;
    },
    referenceCache,
    get vae() {
      return vae.value;
    },
    preview: new PreviewModel(gpu, config.vae, (...call) => vae.value.encode(...call)),
    fingerprint: crypto.randomUUID(),
    isLoaded: (part) => all[part].isLoaded,
    load: async (parts, { signal: abort, onProgress } = {}) => {
      const missing = parts.map((part) => all[part]).filter(({ isLoaded }) => !isLoaded);
      const totalBytes = missing.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
      let loadedBytes = 0;
      for (const part of missing) {
        const onBytes = (bytes: number): void => {
          loadedBytes += bytes;
          onProgress?.(part.name, loadedBytes, totalBytes);
        };
        const store = stores[part.name];
        await part.load(
          new WeightLoader({
            gpu,
            store,
            part: part.name,
            scalar,
            quantization,
            quantizationMethod,
            kernelLayout: backend.kernelLayout,
            withoutValues,
            signal: abort,
            onBytes,
          }),
        );
      }
      await gpu.recorder.settle();
    },
    keepOnly,
    onNullDevice: async () => {
      const nothing = gpu.onNullDevice();
      const zeros = { lookUp: async (ids: Int32Array) => new Float32Array(ids.length * config.text.hidden) };
      return assembleModel({ ...shared, embedding: zeros }, nothing, await dense.onNullDevice(nothing), true);
    },
    releasePool: () => backend.dispose(),
    dispose: async () => {
      promptEmbeddings.dispose();
      referenceCache.clear();
      for (const part of Object.values(all)) part.free();
      await backend.dispose();
    },
  };
}
