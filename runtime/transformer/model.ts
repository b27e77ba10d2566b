import { Attention, type HeadMajor, type KeySegment } from "../backend/attention.ts";
import type { DenseBackend, Norm } from "../backend/backend.ts";
import type { Matrix } from "../backend/matrix.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { type ChunkedMatrix, type ScalarType, type Tensor } from "../gpu/tensor.ts";
import type { TransformerConfig } from "../weights/config/model-config.ts";
import type { Modulation, ModulationSet } from "./modulation.ts";
import type { ReferenceKeysValues } from "./reference-cache.ts";
import { type Grid, gridTokens, type PositionId, tokenRotaryTable } from "./rotary.ts";
import type {
  DoubleBlockWeights,
  ProjectionWeights,
  SingleBlockWeights,
  StreamWeights,
  TransformerWeights,
} from "./weights.ts";

/** Rows of the joint sequence that belong together. Keys are joined in this order: text, reference, target. */
export type StreamRole = "text" | "reference" | "target";

export interface Stream {
  readonly role: StreamRole;
  /** Residual stream [rows, D] f32; a pass overwrites it. */
  readonly hidden: ChunkedMatrix;
  /** [rows, headDim / 2, 2] f32 */
  readonly rotary: Tensor;
  readonly modulation: ModulationSet;
}

/** Blocks `from` … `to` − 1, counted over double and single blocks. */
export interface BlockRange {
  readonly from: number;
  readonly to: number;
}

export interface PassOptions {
  /** Keys and values of references that take part without being a stream. */
  readonly cached?: ReferenceKeysValues | undefined;
  /** Receives the keys and values of the reference stream. */
  readonly store?: ReferenceKeysValues | undefined;
  /** Blocks to run, doubles first: all unless given. */
  readonly range?: BlockRange | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each block with its output. Without it, the last block skips rows that nothing reads. */
  readonly trace?: ((block: string, streams: readonly Stream[]) => Promise<void>) | undefined;
}

/** In f16 the feed-forward of the last double blocks overflows: it is scaled in by this and out again in f32. */
const OVERFLOW_SCALE = 1 / 8;
const OVERFLOWING_DOUBLE_BLOCKS = 2;
const KEY_ORDER: readonly StreamRole[] = ["text", "reference", "target"];

/** Buffers of one stream that every block uses. */
interface Workspace {
  readonly stream: Stream;
  readonly queries: HeadMajor;
  /** Absent where the keys and values go to a store. */
  readonly keysValues: HeadMajor | undefined;
  readonly attended: ChunkedMatrix;
}

/** One block over all streams. */
interface BlockRun {
  readonly scope: MemoryScope;
  readonly spaces: readonly Workspace[];
  /** Counted over double and single blocks. */
  readonly index: number;
  readonly options: PassOptions;
}

export interface TransformerOptions {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  readonly scalar: ScalarType;
  readonly config: TransformerConfig;
  readonly weights: TransformerWeights;
  readonly rowsPerChunk: number;
}

/** The diffusion transformer: double-stream blocks, then single-stream blocks, over any set of streams. */
export class TransformerModel {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  /** Of branch activations. */
  readonly scalar: ScalarType;
  readonly config: TransformerConfig;
  readonly weights: TransformerWeights;
  /** Rows of a stream that go through the dense operators at once, so that the widest activation fits one binding. */
  readonly rowsPerChunk: number;
  readonly #attention: Attention;

  constructor({ gpu, backend, scalar, config, weights, rowsPerChunk }: TransformerOptions) {
    this.gpu = gpu;
    this.backend = backend;
    this.scalar = scalar;
    this.config = config;
    this.weights = weights;
    this.rowsPerChunk = rowsPerChunk;
    const { heads, headDim, eps } = config;
    this.#attention = new Attention(gpu, scalar, { heads, kvHeads: heads, headDim, pairs: "adjacent", eps });
  }

  /** The same transformer with other weights: with LoRAs, say. */
  withWeights(weights: TransformerWeights): TransformerModel {
    const { gpu, backend, scalar, config, rowsPerChunk } = this;
    return new TransformerModel({ gpu, backend, scalar, config, weights, rowsPerChunk });
  }

  /** Double and single blocks. */
  get blocks(): number {
    return this.config.doubleBlocks + this.config.singleBlocks;
  }

  /** The residual stream of latents [tokens, channels] f32 or prompt embeddings [tokens, text width] f32. */
  async embed(scope: MemoryScope, source: ChunkedMatrix, weight: Matrix): Promise<ChunkedMatrix> {
    const hidden = scope.matrix("hidden", "f32", source.rows, this.config.hidden, this.rowsPerChunk);
    for (const [i, chunk] of source.chunks.entries())
      await this.backend.linear(scope, { x: chunk, weights: [weight], outputs: [hidden.chunks[i]!] });
    return hidden;
  }

  /** Rotary table of a stream on the GPU. @param positions  of `rows` tokens */
  rotary(scope: MemoryScope, rows: number, positions: () => readonly PositionId[]): Tensor {
    const { headDim, ropeAxes, ropeTheta } = this.config;
    const tensor = scope.tensor("rotary table", "f32", [rows, headDim / 2, 2]);
    this.gpu.recorder.write(tensor, () => tokenRotaryTable(positions(), ropeAxes, ropeTheta));
    return tensor;
  }

  /** Room for the keys and values of references, in the reference cache's memory. The caller frees it. */
  allocateKeysValues(grids: readonly Grid[]): ReferenceKeysValues {
    const tokens = grids.reduce((sum, grid) => sum + gridTokens(grid), 0);
    const blocks = Array.from({ length: this.blocks }, () => this.#attention.keysValues("referenceCache", tokens));
    return { tokens, blocks };
  }

  /**
   * Runs blocks. Every stream attends to all streams and to cached keys and values. Overwrites the streams: one range of blocks
   * after another gives the same result as one range over all of them.
   */
  async run(streams: readonly Stream[], options: PassOptions = {}): Promise<void> {
    using scope = this.gpu.memory.scope();
    const spaces = streams.map((stream) => this.#workspace(scope, stream, options));
    const { doubleBlocks } = this.config;
    const { from, to } = options.range ?? { from: 0, to: this.blocks };
    for (let index = from; index < to; index++) {
      options.signal?.throwIfAborted();
      const block = { scope, spaces, index, options };
      const isDouble = index < doubleBlocks;
      if (isDouble) await this.#double(block, this.weights.double[index]!);
      else await this.#single(block, this.weights.single[index - doubleBlocks]!);
      await options.trace?.(isDouble ? `double.${index}` : `single.${index - doubleBlocks}`, streams);
      await this.gpu.recorder.throttle();
    }
  }

  /** velocity = modulated LayerNorm(hidden) · finalOutᵀ, [tokens, channels] f32. */
  async velocity(scope: MemoryScope, { hidden, modulation }: Stream): Promise<ChunkedMatrix> {
    const { outChannels, eps } = this.config;
    const out = scope.matrix("velocity", "f32", hidden.rows, outChannels, hidden.rowsPerChunk);
    const norm: Norm = { kind: "layer", ...modulation.final, eps };
    for (const [i, chunk] of hidden.chunks.entries())
      await this.backend.linear(scope, { x: chunk, norm, weights: [this.weights.finalOut], outputs: [out.chunks[i]!] });
    return out;
  }

  #workspace(scope: MemoryScope, stream: Stream, { store }: PassOptions): Workspace {
    const { rows, columns, rowsPerChunk } = stream.hidden;
    return {
      stream,
      queries: this.#attention.queries(scope, rows),
      keysValues: stream.role === "reference" && store ? undefined : this.#attention.keysValues(scope, rows),
      attended: scope.matrix("attended", this.scalar, rows, columns, rowsPerChunk),
    };
  }

  async #double(block: BlockRun, weights: DoubleBlockWeights): Promise<void> {
    const { spaces, index } = block;
    for (const space of spaces) {
      const { role, modulation } = space.stream;
      if (role === "text") await this.#project(block, space, weights.text, modulation.text[0]);
      else await this.#project(block, space, weights.image, modulation.image[0]);
    }
    this.#attend(block, spaces);
    const overflows = this.scalar === "f16" && index >= this.config.doubleBlocks - OVERFLOWING_DOUBLE_BLOCKS;
    const upScale = overflows ? OVERFLOW_SCALE : 1;
    for (const space of spaces) {
      const { role, modulation } = space.stream;
      if (role === "text") await this.#finishDouble(block, space, weights.text, modulation.text, upScale);
      else await this.#finishDouble(block, space, weights.image, modulation.image, upScale);
    }
  }

  async #single(block: BlockRun, weights: SingleBlockWeights): Promise<void> {
    const { scope, spaces, index, options } = block;
    const isLast = index === this.blocks - 1;
    for (const space of spaces) await this.#project(block, space, weights, space.stream.modulation.single);
    // the references' own pass ends with the keys and values of the last block
    if (isLast && options.store && spaces.every(({ stream }) => stream.role === "reference")) return;
    // after the last block only the target's rows are read, unless a trace reads the others
    const read = isLast && !options.trace ? spaces.filter(({ stream }) => stream.role === "target") : spaces;
    this.#attend(block, read);
    for (const { stream, attended } of read) {
      const { single } = stream.modulation;
      for (const [i, hidden] of stream.hidden.chunks.entries()) {
        const rows = hidden.shape[0]!;
        const mlp = scope.tensor("feed-forward", this.scalar, [rows, this.config.mlpHidden]);
        const { gate, up } = weights;
        await this.backend.swiglu(scope, { x: hidden, norm: this.#norm(single), gate, up, output: mlp });
        const terms = [
          { x: attended.chunks[i]!, weight: weights.attentionOut },
          { x: mlp, weight: weights.mlpOut },
        ];
        await this.backend.residualLinear(scope, { terms, gate: single.gate, hidden });
        scope.release(mlp);
      }
    }
  }

  /** Queries, keys and values of one stream: normalised, rotated, and in the layout that attention reads. */
  async #project(block: BlockRun, space: Workspace, weights: ProjectionWeights, modulation: Modulation): Promise<void> {
    const { scope } = block;
    const { stream, queries } = space;
    const keysValues = keysValuesOf(space, block);
    for (const [i, hidden] of stream.hidden.chunks.entries()) {
      const [q, k, v] = weights.qkv.map((weight) =>
        scope.tensor(weight.name, this.scalar, [hidden.shape[0]!, weight.out]),
      );
      const projected = { queries: q!, keys: k!, values: v! };
      const outputs = [q!, k!, v!];
      await this.backend.linear(scope, { x: hidden, norm: this.#norm(modulation), weights: weights.qkv, outputs });
      this.#attention.prepare({
        projected,
        normWeights: weights.norms,
        rotary: stream.rotary,
        firstRow: i * stream.hidden.rowsPerChunk,
        target: { queries, keysValues },
      });
      scope.release(q, k, v);
    }
  }

  /** @param queried  the workspaces whose queries attend to the keys of all streams */
  #attend(block: BlockRun, queried: readonly Workspace[]): void {
    const { spaces, index, options } = block;
    const { cached } = options;
    const segments = KEY_ORDER.flatMap((role): KeySegment[] => {
      const space = spaces.find(({ stream }) => stream.role === role);
      if (space) return [{ keysValues: keysValuesOf(space, block), length: space.stream.hidden.rows }];
      return role === "reference" && cached ? [{ keysValues: cached.blocks[index]!, length: cached.tokens }] : [];
    });
    for (const { queries, attended } of queried) this.#attention.attend(queries, segments, attended);
  }

  async #finishDouble(
    { scope }: BlockRun,
    { stream, attended }: Workspace,
    weights: StreamWeights,
    [attention, feedForward]: readonly [Modulation, Modulation],
    upScale: number,
  ): Promise<void> {
    for (const [i, hidden] of stream.hidden.chunks.entries()) {
      const attentionTerm = { x: attended.chunks[i]!, weight: weights.attentionOut };
      await this.backend.residualLinear(scope, { terms: [attentionTerm], gate: attention.gate, hidden });
      const mlp = scope.tensor("feed-forward", this.scalar, [hidden.shape[0]!, this.config.mlpHidden]);
      const { gate, up, down } = weights;
      await this.backend.swiglu(scope, { x: hidden, norm: this.#norm(feedForward), gate, up, upScale, output: mlp });
      const branch = { terms: [{ x: mlp, weight: down }], gate: feedForward.gate, scale: 1 / upScale };
      await this.backend.residualLinear(scope, { ...branch, hidden });
      scope.release(mlp);
    }
  }

  #norm({ scale, shift }: Modulation): Norm {
    return { kind: "layer", scale, shift, eps: this.config.eps };
  }
}

/** The keys and values of a stream in a block. */
function keysValuesOf(space: Workspace, { index, options }: BlockRun): HeadMajor {
  return space.keysValues ?? options.store!.blocks[index]!;
}
