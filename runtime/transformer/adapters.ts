import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Matrix, StoredRegion } from "../backend/matrix.ts";
import { KleinbildError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { LoraFile, LoraModule } from "../weights/lora/lora-file.ts";
import type { TransformerConfig } from "../weights/config/model-config.ts";
import { type Change, LowRankBuilder } from "./low-rank.ts";
import { mapMatrices, matricesOf } from "./matrices.ts";
import type { TransformerWeights } from "./weights.ts";

/** A LoRA and how strongly it acts. */
export interface Adapter {
  readonly file: LoraFile;
  readonly weight: number;
}

/** A transformer with its weights as loaded. */
export interface AdaptableTransformer {
  readonly gpu: Gpu;
  readonly weights: TransformerWeights;
  readonly config: TransformerConfig;
  readonly scalar: ScalarType;
}

export interface AdaptedTransformer {
  readonly weights: TransformerWeights;
  /** Which parts of the LoRAs do not act on this model, for people. */
  readonly warnings: readonly string[];
  /** Frees the buffers of the changes. The model's own buffers stay. */
  dispose(): void;
}

/** [out, in] of stored tensors, by name. */
type Shapes = ReadonlyMap<string, readonly [number, number]>;

/** Names that a warning lists before it counts the rest. */
const LISTED = 3;

/**
 * The model's weights with the changes of `adapters` beside them, as low-rank branches; the model's own buffers, quantized
 * or not, are shared. Adapters of weight 0 are checked and add nothing.
 *
 * @param modelName  the name of the model in errors
 * @throws KleinbildError `invalid-model` when a LoRA has no layer of this model, or layers of another width;
 *   `unsupported` when the ranks together need bindings above the limit; `invalid-request` for a weight that is no number
 */
export function adaptTransformer(
  { gpu, weights, config, scalar }: AdaptableTransformer,
  adapters: readonly Adapter[],
  modelName = "this model",
): AdaptedTransformer {
  const model = `${modelName} (width ${config.hidden}, ${config.doubleBlocks} double and ${config.singleBlocks} single blocks)`;
  const matrices = matricesOf(weights);
  const shapes: Shapes = new Map(matrices.map((matrix) => [sourceOf(matrix).name, sourceOf(matrix).storedShape]));
  const warnings = adapters.flatMap((adapter) => checkAdapter(adapter, shapes, model));
  const changes = adapters.flatMap(({ file, weight }) =>
    file.modules.map((module): Change => ({ module, scale: weight * module.scale })),
  );
  const byTensor = new Map<string, Change[]>();
  for (const change of changes.filter(({ scale }) => scale !== 0))
    for (const tensor of new Set(change.module.target.map((slice) => slice.tensor)))
      byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), change]);
  const changesOf = (matrix: Matrix): readonly Change[] => byTensor.get(sourceOf(matrix).name) ?? [];
  const builder = new LowRankBuilder(gpu, scalar, matrices.map(changesOf));
  try {
    const adapted = mapMatrices(weights, (matrix) => {
      const own = changesOf(matrix);
      return own.length === 0 ? matrix : builder.adapt(matrix, sourceOf(matrix), own);
    });
    return { weights: adapted, warnings, dispose: () => builder.dispose() };
  } catch (error) {
    builder.dispose();
    throw error;
  }
}

/**
 * A key for caches, which differs where the changes of adapters differ: SHA-256 over the contents of the files with their
 * weights, whatever the names of the files. Empty where nothing changes.
 */
export function adapterKey(adapters: readonly Adapter[]): string {
  const acting = adapters.filter(({ weight }) => weight !== 0).map(({ file, weight }) => [file.sha256, weight]);
  return acting.length === 0 ? "" : bytesToHex(sha256(new TextEncoder().encode(JSON.stringify(acting))));
}

/** Warnings of one adapter. */
function checkAdapter({ file, weight }: Adapter, shapes: Shapes, model: string): readonly string[] {
  if (!Number.isFinite(weight))
    throw new KleinbildError(
      "invalid-request",
      `The weight of the LoRA ${file.name} must be a number; got ${weight}.`,
      {
        parameter: "weight",
      },
    );
  const absent = file.modules.filter((module) => !expectFits(file, module, shapes, model)).map(({ name }) => name);
  const unmatched = [...file.unmatched, ...absent];
  if (absent.length === file.modules.length)
    throw new KleinbildError(
      "invalid-model",
      `The LoRA ${file.name} changes no layer of ${model}; it has ${list([...unmatched, ...file.ignored])}.`,
      { path: file.name },
    );
  const warnings = [];
  if (unmatched.length > 0)
    warnings.push(
      `The LoRA ${file.name} has layers that ${model} does not have; they are left out: ${list(unmatched)}.`,
    );
  if (file.ignored.length > 0)
    warnings.push(
      `The LoRA ${file.name} has tensors for the text encoder, which stays as it is: ${list(file.ignored)}.`,
    );
  return warnings;
}

/** Whether the model has the layer. @throws KleinbildError `invalid-model` when it is of another shape there */
function expectFits(file: LoraFile, module: LoraModule, shapes: Shapes, model: string): boolean {
  let out = 0;
  let columns = 0;
  for (const { tensor, slots } of module.target) {
    const shape = shapes.get(tensor);
    if (!shape) return false;
    out += shape[0] / slots;
    columns = shape[1];
  }
  const [loraOut, loraIn] = [module.up.shape[0], module.down.shape[1]];
  if (loraOut === out && loraIn === columns) return true;
  throw new KleinbildError(
    "invalid-model",
    `The LoRA ${file.name} is for a model of another width: it changes ${module.name} of [${loraOut}, ${loraIn}], which is [${out}, ${columns}] in ${model}.`,
    { path: file.name, tensor: module.name },
  );
}

function sourceOf({ name, source }: Matrix): StoredRegion {
  if (!source) throw new KleinbildError("internal", `${name} does not say which stored tensor it belongs to.`);
  return source;
}

function list(names: readonly string[]): string {
  const rest = names.length - LISTED;
  const listed = names.slice(0, LISTED).join(", ") || "nothing";
  return rest > 0 ? `${listed} and ${rest} more` : listed;
}
