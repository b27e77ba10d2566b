import { OrtBackend } from "./backend/ort/ort-backend.ts";
import type { ModelPart } from "./events.ts";
import type { Gpu } from "./gpu/device.ts";
import type { MemoryPart } from "./gpu/memory.ts";
import type { ScalarType } from "./gpu/tensor.ts";
import { rowsPerChunk } from "./plan/rows-per-chunk.ts";
import { EmbeddingTable } from "./text/embedding.ts";
import { TextEncoder } from "./text/encoder.ts";
import { TextStates } from "./text/text-states.ts";
import { PromptTokenizer } from "./text/tokenizer.ts";
import { isTextEncoderWeight, loadTextEncoderWeights } from "./text/weights.ts";
import { TransformerModel } from "./transformer/model.ts";
import { ReferenceCache } from "./transformer/reference-cache.ts";
import { loadTransformerWeights } from "./transformer/weights.ts";
import { Autoencoder } from "./vae/autoencoder.ts";
import { PreviewModel } from "./vae/preview.ts";
import { loadVaeWeights } from "./vae/weights.ts";
import { type Quantization, WeightLoader } from "./weights/loader.ts";
import type { ModelConfig } from "./weights/model-config.ts";
import { readJson } from "./weights/read-json.ts";
import type { ModelSource } from "./weights/source.ts";
import { TensorStore } from "./weights/tensor-store.ts";

export interface PartsOptions {
  readonly gpu: Gpu;
  readonly source: ModelSource;
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly referenceCacheBytes: number;
  readonly ortWasmUrl?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((part: ModelPart, loadedBytes: number, totalBytes: number) => void) | undefined;
}

/** The parts of a loaded model, on one device. */
export interface Parts {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  /** Rows of a token stream that go through dense operators at once. */
  readonly rowsPerChunk: number;
  readonly tokenizer: PromptTokenizer;
  readonly textStates: TextStates;
  readonly transformer: TransformerModel;
  readonly referenceCache: ReferenceCache;
  readonly vae: Autoencoder;
  readonly preview: PreviewModel;
  /** Names this set of weights on the GPU and no other; it never changes, so what it holds needs no hashing. */
  readonly fingerprint: string;
  /** Frees everything but the device. */
  dispose(): Promise<void>;
}

/** What the batch normalisation of the autoencoder counted in training. */
const BATCH_COUNT = "bn.num_batches_tracked";

/** Loads all parts of a model; what was loaded is freed again when it fails or is aborted. */
export async function loadParts(options: PartsOptions): Promise<Parts> {
  const { gpu, source, config, scalar, quantization, signal } = options;
  const undo: (() => void | Promise<void>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const chunk = rowsPerChunk(config, scalar, gpu.memory.maxBindingBytes);
    const [tokenizerJson, tokenizerConfig] = [
      await readJson(source, "tokenizer/tokenizer.json", signal),
      await readJson(source, "tokenizer/tokenizer_config.json", signal),
    ];
    const tokenizer = PromptTokenizer.create(tokenizerJson, tokenizerConfig);
    const stores = {
      textEncoder: await TensorStore.open(source, "text_encoder", signal),
      transformer: await TensorStore.open(source, "transformer", signal),
      vae: await TensorStore.open(source, "vae", signal),
    };
    const backend = await OrtBackend.create(gpu, scalar, options.ortWasmUrl);
    undo.push(() => backend.dispose());

    const layers = Math.max(...config.textLayers);
    const totalBytes =
      stores.textEncoder.totalBytes((name) => isTextEncoderWeight(name, layers)) +
      stores.transformer.totalBytes(() => true) +
      stores.vae.totalBytes((name) => name !== BATCH_COUNT);
    let loadedBytes = 0;
    const loader = (part: keyof typeof stores & MemoryPart): WeightLoader => {
      const onBytes = (bytes: number): void => {
        loadedBytes += bytes;
        options.onProgress?.(part, loadedBytes, totalBytes);
      };
      const created = new WeightLoader({ gpu, store: stores[part], part, scalar, quantization, signal, onBytes });
      undo.push(() => created.dispose());
      return created;
    };

    const encoder = new TextEncoder({
      gpu,
      backend,
      scalar,
      config: config.text,
      layers: await loadTextEncoderWeights(loader("textEncoder"), config.text, layers),
      stacked: config.textLayers,
      embedding: new EmbeddingTable(stores.textEncoder, config.text.vocab, config.text.hidden),
      rowsPerChunk: chunk,
    });
    const textStates = new TextStates(gpu.memory, encoder);
    undo.push(() => textStates.dispose());
    const weights = await loadTransformerWeights(loader("transformer"), config.transformer);
    const transformer = new TransformerModel(gpu, backend, scalar, config.transformer, weights, chunk);
    const vae = new Autoencoder(gpu, backend, scalar, config.vae, await loadVaeWeights(loader("vae"), config.vae));
    const referenceCache = new ReferenceCache(gpu.memory, options.referenceCacheBytes);
    undo.push(() => referenceCache.clear());
    await gpu.recorder.settle();
    return {
      gpu,
      config,
      scalar,
      quantization,
      rowsPerChunk: chunk,
      tokenizer,
      textStates,
      transformer,
      referenceCache,
      vae,
      preview: new PreviewModel(gpu, vae),
      fingerprint: crypto.randomUUID(),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
