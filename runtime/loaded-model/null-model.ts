import type { DenseBackend } from "../backend/backend.ts";
import { ComposedBackend } from "../backend/composed-backend.ts";
import { createOrtOnNullDevice } from "../backend/create-backend.ts";
import { type BackendsByOperator, mapOperators } from "../backend/operators.ts";
import { WgslBackend } from "../backend/wgsl/wgsl-backend.ts";
import { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { EncodedPrompt } from "../text/tokenizer.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";
import { inventory, WEIGHT_PARTS, type WeightPart } from "../weights/inventory.ts";
import type { Quantization } from "../weights/loader/weight-loader.ts";
import { TensorView } from "../weights/names/tensor-view.ts";
import { TensorStore } from "../weights/tensor-store.ts";
import { LoadedModel } from "./loaded-model.ts";
import { rowsPerChunk } from "./rows-per-chunk.ts";

/** How a model would be loaded. */
export interface NullModelOptions {
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly quantization: Quantization;
  readonly backends: BackendsByOperator;
  /** Most bytes of a binding on the adapter. */
  readonly maxBindingBytes: number;
}

/**
 * A model on a null device, from its config alone: no file is read. All parts are loaded; their weights have shapes and no
 * values.
 *
 * @throws KleinbildError `unsupported` when a binding is too small for one row of activations
 */
export async function openNullModel(options: NullModelOptions): Promise<LoadedModel> {
  const { config, scalar, quantization, backends, maxBindingBytes } = options;
  const gpu = Gpu.nullDevice(maxBindingBytes);
  const onNullDevice = (device: Gpu): Promise<DenseBackend> => composeBackend(device, scalar, backends);
  const model = new LoadedModel(
    {
      model: { config, stores: shapesOf(config) },
      scalar,
      quantization,
      quantizationMethod: "rtn",
      referenceCacheBytes: Infinity,
      tokenizer: { encode: encodeLetters },
      rowsPerChunk: rowsPerChunk(config, scalar, maxBindingBytes),
      dense: { backends, report: {}, onNullDevice },
    },
    {
      gpu,
      backend: await onNullDevice(gpu),
      embedding: { lookUp: async () => new Float32Array() },
      withoutValues: true,
    },
  );
  await model.load(WEIGHT_PARTS);
  return model;
}

async function composeBackend(gpu: Gpu, scalar: ScalarType, backends: BackendsByOperator): Promise<DenseBackend> {
  const wgsl = new WgslBackend(gpu, scalar);
  const usesOrt = Object.values(backends).includes("ort");
  const ort = usesOrt ? await createOrtOnNullDevice(gpu, scalar) : wgsl;
  return new ComposedBackend(mapOperators(backends, (name) => (name === "ort" ? ort : wgsl)));
}

/** The shapes of all tensors, without files. */
function shapesOf(config: ModelConfig): Readonly<Record<WeightPart, TensorStore>> {
  const store = (part: WeightPart): TensorStore => {
    const views = inventory(config, part).map(({ name, shape }) => new TensorView(name, shape, []));
    const found = { files: [], format: "safetensors", naming: "none", unused: [], extra: [] } as const;
    return new TensorStore(config.name, new Map(views.map((view) => [view.name, view])), found);
  };
  return { textEncoder: store("textEncoder"), transformer: store("transformer"), vae: store("vae") };
}

/** A token for each letter. */
function encodeLetters(prompt: string, length: number): EncodedPrompt {
  const letters = Array.from(prompt.slice(0, length), (letter) => letter.charCodeAt(0));
  const ids = new Int32Array(length);
  ids.set(letters);
  const mask = new Int32Array(length).fill(1, 0, letters.length);
  return { ids, mask, tokens: letters.length, truncated: false };
}
