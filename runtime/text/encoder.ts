import { placeColumns } from "../../kernels/index.ts";
import { Attention } from "../backend/attention.ts";
import type { DenseBackend, Norm } from "../backend/backend.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { elementGrid } from "../gpu/workgroups.ts";
import { rowRanges, type ChunkedMatrix, type ScalarType, type Tensor } from "../gpu/tensor.ts";
import type { TextEncoderConfig } from "../weights/config/model-config.ts";
import type { EmbeddingTable } from "./embedding.ts";
import type { LayerWeights } from "./weights.ts";

/** The tokens of a prompt. */
export interface TokenSequence {
  /** [length], padded at the end */
  readonly ids: Int32Array;
  /** [length]: 1 for tokens of the prompt, 0 for padding */
  readonly mask: Int32Array;
}

export interface TextEncoderOptions {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  /** Of branch activations. */
  readonly scalar: ScalarType;
  readonly config: TextEncoderConfig;
  readonly layers: readonly LayerWeights[];
  /** Hidden states to stack: 0 is the embedding, i the output of layer i − 1. */
  readonly stacked: readonly number[];
  readonly embedding: Pick<EmbeddingTable, "lookUp">;
  readonly rowsPerChunk: number;
}

/**
 * Qwen3 up to the last layer that is needed: hidden states of some layers, side by side.
 *
 * Padding rows are computed like all others, since the transformer attends to them. They attend to the prompt's tokens only.
 */
export class TextEncoder {
  readonly #gpu: Gpu;
  readonly #backend: DenseBackend;
  readonly #scalar: ScalarType;
  readonly #config: TextEncoderConfig;
  readonly #layers: readonly LayerWeights[];
  readonly #stacked: readonly number[];
  readonly #embedding: Pick<EmbeddingTable, "lookUp">;
  readonly #attention: Attention;
  readonly #rowsPerChunk: number;

  constructor(options: TextEncoderOptions) {
    this.#gpu = options.gpu;
    this.#backend = options.backend;
    this.#scalar = options.scalar;
    this.#config = options.config;
    this.#layers = options.layers;
    this.#stacked = options.stacked;
    this.#embedding = options.embedding;
    this.#rowsPerChunk = options.rowsPerChunk;
    const { heads, kvHeads, headDim, eps } = options.config;
    this.#attention = new Attention(options.gpu, options.scalar, { heads, kvHeads, headDim, pairs: "halves", eps });
  }

  /** The prompt embeddings: stacked hidden states [length, layers · hidden] f32, in `target`. */
  async encode(target: MemoryScope, { ids, mask }: TokenSequence, signal?: AbortSignal): Promise<ChunkedMatrix> {
    using scope = this.#gpu.memory.scope();
    const { hidden: width } = this.#config;
    const length = ids.length;
    const embeddings = target.matrix(
      "prompt embeddings",
      "f32",
      length,
      width * this.#stacked.length,
      this.#rowsPerChunk,
    );
    const hidden = scope.matrix("hidden", "f32", length, width, this.#rowsPerChunk);
    await this.#embed(hidden, ids, signal);
    const rotary = scope.tensor("rotary table", "f32", [length, this.#config.headDim / 2, 2]);
    const { headDim, ropeTheta } = this.#config;
    this.#gpu.recorder.write(rotary, () => rotaryTable(length, headDim, ropeTheta));
    const keyMask = scope.tensor("key mask", "u32", [Math.ceil(length / 32)]);
    this.#gpu.recorder.write(keyMask, packBits(mask));
    this.#stack(0, hidden, embeddings);
    for (const [i, layer] of this.#layers.entries()) {
      signal?.throwIfAborted();
      await this.#layer(scope, layer, hidden, rotary, keyMask);
      this.#stack(i + 1, hidden, embeddings);
      await this.#gpu.recorder.throttle();
    }
    return embeddings;
  }

  async #embed(hidden: ChunkedMatrix, ids: Int32Array, signal?: AbortSignal): Promise<void> {
    const rows = await this.#embedding.lookUp(ids, signal);
    for (const [i, { first, count }] of rowRanges(hidden.rows, hidden.rowsPerChunk).entries())
      this.#gpu.recorder.write(
        hidden.chunks[i]!,
        rows.subarray(first * hidden.columns, (first + count) * hidden.columns),
      );
  }

  async #layer(
    scope: MemoryScope,
    weights: LayerWeights,
    hidden: ChunkedMatrix,
    rotary: Tensor,
    mask: Tensor,
  ): Promise<void> {
    const { heads, headDim, intermediate } = this.#config;
    const queries = this.#attention.queries(scope, hidden.rows);
    const keysValues = this.#attention.keysValues(scope, hidden.rows);
    const attended = scope.matrix("attended", this.#scalar, hidden.rows, heads * headDim, hidden.rowsPerChunk);
    for (const [i, chunk] of hidden.chunks.entries()) {
      const [q, k, v] = weights.qkv.map((weight) =>
        scope.tensor(weight.name, this.#scalar, [chunk.shape[0]!, weight.out]),
      );
      const norm = this.#norm(weights.inputNorm);
      await this.#backend.linear(scope, { x: chunk, norm, weights: weights.qkv, outputs: [q!, k!, v!] });
      const projected = { queries: q!, keys: k!, values: v! };
      this.#attention.prepare({
        projected,
        normWeights: weights.headNorms,
        rotary,
        firstRow: i * hidden.rowsPerChunk,
        target: { queries, keysValues },
      });
      scope.release(q, k, v);
    }
    this.#attention.attend(queries, [{ keysValues, length: hidden.rows }], attended, { causal: true, mask });
    for (const [i, chunk] of hidden.chunks.entries()) {
      const mlp = scope.tensor("feed-forward", this.#scalar, [chunk.shape[0]!, intermediate]);
      const attention = { x: attended.chunks[i]!, weight: weights.attentionOut };
      await this.#backend.residualLinear(scope, { terms: [attention], hidden: chunk });
      const { gate, up, down } = weights;
      await this.#backend.swiglu(scope, { x: chunk, norm: this.#norm(weights.outputNorm), gate, up, output: mlp });
      await this.#backend.residualLinear(scope, { terms: [{ x: mlp, weight: down }], hidden: chunk });
      scope.release(mlp);
    }
    scope.releaseMatrix(attended);
    scope.release(...queries.groups, ...keysValues.groups);
  }

  /** Copies hidden state number `index` to its columns of the embeddings, if it is one of the stacked ones. */
  #stack(index: number, hidden: ChunkedMatrix, embeddings: ChunkedMatrix): void {
    for (const [position, wanted] of this.#stacked.entries()) {
      if (wanted !== index) continue;
      for (const [i, chunk] of hidden.chunks.entries()) {
        const rows = chunk.shape[0]!;
        this.#gpu.recorder.dispatch(placeColumns, {
          bindings: { x: chunk, out: embeddings.chunks[i]! },
          parameters: {
            rows,
            columns: hidden.columns,
            out_columns: embeddings.columns,
            column_start: position * hidden.columns,
          },
          grid: elementGrid(placeColumns, rows * hidden.columns),
        });
      }
    }
  }

  #norm(weight: Tensor): Norm {
    return { kind: "rms", weight, eps: this.#config.eps };
  }
}

/** Cosine and sine of position · theta^(−2j / headDim), [positions, headDim / 2, 2], computed in f64. */
export function rotaryTable(positions: number, headDim: number, theta: number): Float32Array<ArrayBuffer> {
  const table = new Float32Array(positions * headDim);
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, j) => theta ** ((-2 * j) / headDim));
  for (let position = 0; position < positions; position++)
    for (let j = 0; j < headDim / 2; j++) {
      const angle = position * frequencies[j]!;
      table[position * headDim + 2 * j] = Math.cos(angle);
      table[position * headDim + 2 * j + 1] = Math.sin(angle);
    }
  return table;
}

/** Bit i of the words is set where mask[i] is not 0. */
export function packBits(mask: ArrayLike<number>): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(mask.length / 32));
  for (let i = 0; i < mask.length; i++) if (mask[i]) words[i >> 5]! |= 1 << (i & 31);
  return words;
}
