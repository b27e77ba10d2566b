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
  /** Where the reference stream's keys and values go, to be kept. */
  readonly store?: ReferenceKeysValues | undefined;
  /** Blocks to run, doubles first: all unless given. */
  readonly range?: BlockRange | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each block, with the streams as they then are; without it the last block leaves out what nobody reads. */
  readonly trace?: ((block: string, streams: readonly Stream[]) => Promise<void>) | undefined;
}

/** In f16 the feed-forward of the last double blocks overflows: it is scaled in by this and out again in f32. */
const OVERFLOW_SCALE = 1 / 8;
const OVERFLOWING_DOUBLE_BLOCKS = 2;
const KEY_ORDER: readonly StreamRole[] = ["text", "reference", "target"];

/** Buffers of one stream that every block uses anew. */
interface Workspace {
  readonly stream: Stream;
  readonly queries: HeadMajor;
  /** Absent where the keys and values go to a store. */
  readonly keysValues: HeadMajor | undefined;
  readonly attended: ChunkedMatrix;
}

/** The diffusion transformer: double-stream blocks, then single-stream blocks, over any set of streams. */
export class TransformerModel {
  readonly config: TransformerConfig;
  readonly weights: TransformerWeights;
  /** Rows of a stream that go through the dense operators at once, so that the widest activation fits one binding. */
  readonly rowsPerChunk: number;
  readonly #gpu: Gpu;
  readonly backend: DenseBackend;
  readonly #scalar: ScalarType;
  readonly #attention: Attention;

  constructor(
    gpu: Gpu,
    backend: DenseBackend,
    scalar: ScalarType,
    config: TransformerConfig,
    weights: TransformerWeights,
    rowsPerChunk: number,
  ) {
    this.#gpu = gpu;
    this.backend = backend;
    this.#scalar = scalar;
    this.config = config;
    this.weights = weights;
    this.rowsPerChunk = rowsPerChunk;
    const { heads, headDim, eps } = config;
    this.#attention = new Attention(gpu, scalar, { heads, kvHeads: heads, headDim, pairs: "adjacent", eps });
  }

  get blocks(): number {
    return this.config.doubleBlocks + this.config.singleBlocks;
  }

  /** The residual stream of latents [tokens, channels] f32 or text states [tokens, text width] f32. */
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
    this.#gpu.recorder.write(tensor, () => tokenRotaryTable(positions(), ropeAxes, ropeTheta));
    return tensor;
  }

  /** Room for the keys and values of references, in the reference cache's memory. The caller frees it. */
  allocateKeysValues(grids: readonly Grid[]): ReferenceKeysValues {
    const tokens = grids.reduce((sum, grid) => sum + gridTokens(grid), 0);
    const blocks = Array.from({ length: this.blocks }, () => this.#attention.keysValues("referenceCache", tokens));
    return { tokens, blocks };
  }

  /**
   * Runs blocks; every stream attends to all streams and to what is kept. Overwrites the streams, so that ranges one after
   * another give what one range over all of them gives.
   */
  async run(streams: readonly Stream[], options: PassOptions = {}): Promise<void> {
    using scope = this.#gpu.memory.scope();
    const spaces = streams.map((stream) => this.#workspace(scope, stream, options));
    const { from, to } = options.range ?? { from: 0, to: this.blocks };
    for (let i = from; i < to; i++) {
      options.signal?.throwIfAborted();
      const last = i === this.blocks - 1;
      const { doubleBlocks } = this.config;
      if (i < doubleBlocks) await this.#double(scope, spaces, i, this.weights.double[i]!, options);
      else await this.#single(scope, spaces, i, this.weights.single[i - doubleBlocks]!, options, last);
      await options.trace?.(i < doubleBlocks ? `double.${i}` : `single.${i - doubleBlocks}`, streams);
      await this.#gpu.recorder.throttle();
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
      attended: scope.matrix("attended", this.#scalar, rows, columns, rowsPerChunk),
    };
  }

  async #double(
    scope: MemoryScope,
    spaces: readonly Workspace[],
    index: number,
    weights: DoubleBlockWeights,
    options: PassOptions,
  ): Promise<void> {
    const of = <T>({ stream }: Workspace, text: T, image: T): T => (stream.role === "text" ? text : image);
    for (const space of spaces) {
      const { image, text } = space.stream.modulation;
      await this.#project(
        scope,
        space,
        of(space, weights.text, weights.image),
        of(space, text, image)[0],
        index,
        options,
      );
    }
    this.#attend(spaces, index, options);
    const overflowing = this.#scalar === "f16" && index >= this.config.doubleBlocks - OVERFLOWING_DOUBLE_BLOCKS;
    for (const space of spaces) {
      const { image, text } = space.stream.modulation;
      await this.#finishDouble(
        scope,
        space,
        of(space, weights.text, weights.image),
        of(space, text, image),
        overflowing ? OVERFLOW_SCALE : 1,
      );
    }
  }

  async #single(
    scope: MemoryScope,
    spaces: readonly Workspace[],
    index: number,
    weights: SingleBlockWeights,
    options: PassOptions,
    last: boolean,
  ): Promise<void> {
    for (const space of spaces)
      await this.#project(scope, space, weights, space.stream.modulation.single, index, options);
    // the references' own pass is over once the last block's keys and values are kept
    if (last && options.store && spaces.every(({ stream }) => stream.role === "reference")) return;
    // only the target's rows are read after the last block, but by who traces
    const read = last && !options.trace ? spaces.filter(({ stream }) => stream.role === "target") : spaces;
    this.#attend(spaces, index, options, read);
    for (const { stream, attended } of read) {
      const { single } = stream.modulation;
      for (const [i, hidden] of stream.hidden.chunks.entries()) {
        const rows = hidden.shape[0]!;
        const mlp = scope.tensor("feed-forward", this.#scalar, [rows, this.config.mlpHidden]);
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

  /** Queries, keys and values of one stream, normalised, rotated and put where attention reads. */
  async #project(
    scope: MemoryScope,
    space: Workspace,
    weights: ProjectionWeights,
    modulation: Modulation,
    block: number,
    options: PassOptions,
  ): Promise<void> {
    const { stream, queries } = space;
    const keysValues = keysValuesOf(space, block, options);
    for (const [i, hidden] of stream.hidden.chunks.entries()) {
      const [q, k, v] = weights.qkv.map((weight) =>
        scope.tensor(weight.name, this.#scalar, [hidden.shape[0]!, weight.out]),
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

  /** @param queried  those whose queries attend to all of `spaces` */
  #attend(spaces: readonly Workspace[], block: number, options: PassOptions, queried = spaces): void {
    const { cached } = options;
    const segments = KEY_ORDER.flatMap((role): KeySegment[] => {
      const space = spaces.find(({ stream }) => stream.role === role);
      if (space) return [{ keysValues: keysValuesOf(space, block, options), length: space.stream.hidden.rows }];
      return role === "reference" && cached ? [{ keysValues: cached.blocks[block]!, length: cached.tokens }] : [];
    });
    for (const { queries, attended } of queried) this.#attention.attend(queries, segments, attended);
  }

  async #finishDouble(
    scope: MemoryScope,
    { stream, attended }: Workspace,
    weights: StreamWeights,
    [attention, feedForward]: readonly [Modulation, Modulation],
    upScale: number,
  ): Promise<void> {
    for (const [i, hidden] of stream.hidden.chunks.entries()) {
      const attentionTerm = { x: attended.chunks[i]!, weight: weights.attentionOut };
      await this.backend.residualLinear(scope, { terms: [attentionTerm], gate: attention.gate, hidden });
      const mlp = scope.tensor("feed-forward", this.#scalar, [hidden.shape[0]!, this.config.mlpHidden]);
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

/** Where a stream's keys and values of a block are. */
function keysValuesOf(space: Workspace, block: number, { store }: PassOptions): HeadMajor {
  return space.keysValues ?? store!.blocks[block]!;
}
