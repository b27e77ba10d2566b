import { attention, headNormRope } from "../../kernels/index.ts";
import { KleinbildError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { MemoryCategory, MemoryScope } from "../gpu/memory.ts";
import { reductionLanes } from "../gpu/workgroups.ts";
import {
  BYTES_PER_ELEMENT,
  type ChunkedMatrix,
  type RowRange,
  rowRanges,
  type ScalarType,
  type Tensor,
} from "../gpu/tensor.ts";

/** A segment of this many tokens must fit into one binding: a 2048² picture, or four references of 1024². */
const SEGMENT_TOKENS = 16_384;
/**
 * Query rows of a workgroup. One configuration serves all adapters: on the software ones, too, 64 rows measured fastest
 * (lavapipe, 4 heads of 64 against 112 keys: 4.8 ms, 32 rows 5.5, 16 rows 7.4, 4 rows 12.9; SwiftShader against 700 keys:
 * 286, 342, 383 and 675 ms), and 64 rows of f32 take 14.6 KiB of workgroup memory of the 16 KiB that every adapter has.
 */
const { TILE_Q } = attention.overrides;

/** Heads of one attention. `kvHeads` divides `heads`; `headDim` is a multiple of 8 up to 128. */
export interface HeadShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Rotary pairs: adjacent channels (the diffusion transformer) or the two halves of a head (Qwen). */
  readonly pairs: "adjacent" | "halves";
  readonly eps: number;
}

/**
 * Queries [heads, capacity, headDim], or keys and values [2, kvHeads, capacity, headDim], head-major, cut into groups of
 * heads, so that no group exceeds the binding limit.
 */
export interface HeadMajor {
  readonly capacity: number;
  readonly groups: readonly Tensor[];
}

/** Keys and values. Attention uses their first `length` rows. */
export interface KeySegment {
  readonly keysValues: HeadMajor;
  readonly length: number;
}

export interface PrepareCall {
  /** [rows, heads · headDim], and [rows, kvHeads · headDim] twice. */
  readonly projected: { readonly queries: Tensor; readonly keys: Tensor; readonly values: Tensor };
  /** RMS norm weights of queries and of keys, [2, headDim] f32. */
  readonly normWeights: Tensor;
  /** Cosines and sines, [positions, headDim / 2, 2] f32. */
  readonly rotary: Tensor;
  /** Row of the stream at which the chunk begins: its position, and its row in the targets. */
  readonly firstRow: number;
  readonly target: { readonly queries: HeadMajor; readonly keysValues: HeadMajor };
}

export interface AttendOptions {
  readonly causal?: boolean;
  /** Bit j set: key j takes part; [ceil(keys / 32)] u32. */
  readonly mask?: Tensor;
}

const MAX_SEGMENTS = 3;

/** Output rows of one dispatch. */
interface OutputRows {
  /** A chunk of the output. */
  readonly out: Tensor;
  /** Query of the first row. */
  readonly queryStart: number;
  /** Rows of the chunk. */
  readonly range: RowRange;
}

type Heads = Pick<HeadShape, "heads" | "kvHeads" | "headDim">;

/** Bytes of a token in a binding of one kv head: its keys and values, or its queries if these are more. */
function headBytesPerToken({ heads, kvHeads, headDim }: Heads, scalar: ScalarType): number {
  return Math.max(2, heads / kvHeads) * headDim * BYTES_PER_ELEMENT[scalar];
}

/** Heads of keys and values in a group: the largest divisor of `kvHeads` that fits into a binding of `SEGMENT_TOKENS` tokens. */
function kvHeadsPerGroup(shape: Heads, scalar: ScalarType, maxBindingBytes: number): number {
  const fitting = Math.floor(maxBindingBytes / (SEGMENT_TOKENS * headBytesPerToken(shape, scalar)));
  let perGroup = Math.min(Math.max(1, fitting), shape.kvHeads);
  while (shape.kvHeads % perGroup !== 0) perGroup--;
  return perGroup;
}

/** Attention with QK RMS norm and rotary embedding, on our kernels. */
export class Attention {
  readonly #gpu: Gpu;
  readonly #scalar: ScalarType;
  readonly #shape: HeadShape;
  readonly #kvHeadsPerGroup: number;
  readonly #groups: number;

  constructor(gpu: Gpu, scalar: ScalarType, shape: HeadShape) {
    this.#gpu = gpu;
    this.#scalar = scalar;
    this.#shape = shape;
    this.#kvHeadsPerGroup = kvHeadsPerGroup(shape, scalar, gpu.memory.maxBindingBytes);
    this.#groups = shape.kvHeads / this.#kvHeadsPerGroup;
  }

  get #headsPerKv(): number {
    return this.#shape.heads / this.#shape.kvHeads;
  }

  /** Allocates the queries of `rows` tokens. */
  queries(scope: MemoryScope, rows: number): HeadMajor {
    this.#assertFits(rows);
    const shape = [this.#kvHeadsPerGroup * this.#headsPerKv, rows, this.#shape.headDim];
    const groups = Array.from({ length: this.#groups }, () => scope.tensor("queries", this.#scalar, shape));
    return { capacity: rows, groups };
  }

  /** Allocates the keys and values of `rows` tokens, in a scope or, to be cached, in a category of the memory. */
  keysValues(owner: MemoryScope | MemoryCategory, rows: number): HeadMajor {
    this.#assertFits(rows);
    const shape = [2, this.#kvHeadsPerGroup, rows, this.#shape.headDim];
    const label = "keys and values";
    const groups = Array.from({ length: this.#groups }, () =>
      typeof owner === "string"
        ? this.#gpu.memory.tensor(owner, label, this.#scalar, shape)
        : owner.tensor(label, this.#scalar, shape),
    );
    return { capacity: rows, groups };
  }

  /** The tokens of a head cannot be cut, so they must fit into a binding. */
  #assertFits(rows: number): void {
    const limit = this.#gpu.memory.maxBindingBytes;
    const bytesPerToken = headBytesPerToken(this.#shape, this.#scalar) * this.#kvHeadsPerGroup;
    const most = Math.floor(limit / bytesPerToken);
    if (rows > most)
      throw new KleinbildError(
        "unsupported",
        `Attention to ${rows} tokens needs bindings of ${rows * bytesPerToken} bytes; the adapter allows ${limit}, which is ${most} tokens. Ask for a smaller picture, or for fewer or smaller references.`,
        { tokens: rows, bytes: rows * bytesPerToken, limit },
      );
  }

  /** Normalises and rotates the rows of one chunk and writes them where `attend` reads. */
  prepare({ projected, normWeights, rotary, firstRow, target }: PrepareCall): void {
    const { heads, kvHeads, headDim, eps, pairs } = this.#shape;
    const rows = projected.queries.shape[0]!;
    const groupKvHeads = this.#kvHeadsPerGroup;
    const groupHeads = groupKvHeads * this.#headsPerKv;
    const lanes = reductionLanes(this.#gpu.adapter, headDim / 2);
    for (let group = 0; group < this.#groups; group++)
      this.#gpu.recorder.dispatch(headNormRope, {
        bindings: {
          ...projected,
          norm_weights: normWeights,
          rotary,
          queries_out: target.queries.groups[group]!,
          keys_values_out: target.keysValues.groups[group]!,
        },
        parameters: {
          rows,
          heads,
          kv_heads: kvHeads,
          first_head: group * groupHeads,
          group_heads: groupHeads,
          first_kv_head: group * groupKvHeads,
          group_kv_heads: groupKvHeads,
          rotary_start: firstRow,
          query_start: firstRow,
          query_capacity: target.queries.capacity,
          key_start: firstRow,
          key_capacity: target.keysValues.capacity,
          eps,
        },
        overrides: {
          HEAD_DIM: headDim,
          INTERLEAVED: pairs === "adjacent" ? 1 : 0,
          ...lanes,
        },
        scalar: this.#scalar,
        grid: [Math.ceil(rows / lanes.ITEMS), groupHeads + 2 * groupKvHeads],
      });
  }

  /**
   * out = softmax(q kᵀ / √headDim) v over all segments, head by head.
   *
   * @param out  [rows, heads · headDim], rows in the order of the queries
   */
  attend(queries: HeadMajor, segments: readonly KeySegment[], out: ChunkedMatrix, options: AttendOptions = {}): void {
    this.#assertShapes(queries, segments, out);
    const used = segments.filter(({ length }) => length > 0); // an empty tensor is too small to be bound as vectors
    const keys = used.reduce((sum, { length }) => sum + length, 0);
    const { recorder } = this.#gpu;
    const workPerRow = 2 * keys * this.#shape.headDim * this.#kvHeadsPerGroup * this.#headsPerKv;
    for (const [chunk, { first, count }] of rowRanges(out.rows, out.rowsPerChunk).entries())
      for (let group = 0; group < this.#groups; group++) {
        for (const range of rowRanges(count, recorder.meter.rowsPerDispatch(workPerRow, TILE_Q))) {
          const rows = { out: out.chunks[chunk]!, queryStart: first + range.first, range };
          this.#attend(queries, used, group, rows, options);
        }
      }
  }

  #assertShapes(queries: HeadMajor, segments: readonly KeySegment[], out: ChunkedMatrix): void {
    if (segments.length === 0 || segments.length > MAX_SEGMENTS)
      throw new KleinbildError(
        "invalid-shape",
        `Attention takes 1 to ${MAX_SEGMENTS} key segments; got ${segments.length}.`,
      );
    for (const { keysValues, length } of segments)
      if (length > keysValues.capacity)
        throw new KleinbildError(
          "invalid-shape",
          `A segment of ${length} keys exceeds its capacity of ${keysValues.capacity}.`,
        );
    const columns = this.#shape.heads * this.#shape.headDim;
    if (out.columns !== columns || out.rows > queries.capacity)
      throw new KleinbildError(
        "invalid-shape",
        `The output of attention must have ${columns} columns and at most ${queries.capacity} rows; got ${out.rows} rows of ${out.columns}.`,
      );
  }

  #attend(
    queries: HeadMajor,
    segments: readonly KeySegment[],
    group: number,
    { out, queryStart, range }: OutputRows,
    { causal, mask }: AttendOptions,
  ): void {
    const { headDim } = this.#shape;
    const groupHeads = this.#kvHeadsPerGroup * this.#headsPerKv;
    const [a, b, c] = segments;
    const absent = queries.groups[group]!; // bound in place of absent tensors, and never read
    const keys = segments.reduce((sum, { length }) => sum + length, 0);
    this.#gpu.recorder.dispatch(attention, {
      bindings: {
        queries: queries.groups[group]!,
        keys_values_0: a?.keysValues.groups[group] ?? absent,
        keys_values_1: b?.keysValues.groups[group] ?? absent,
        keys_values_2: c?.keysValues.groups[group] ?? absent,
        mask: mask ?? absent,
        out,
      },
      parameters: {
        query_start: queryStart,
        query_count: range.count,
        query_capacity: queries.capacity,
        length_0: a?.length ?? 0,
        length_1: b?.length ?? 0,
        length_2: c?.length ?? 0,
        capacity_0: a?.keysValues.capacity ?? 0,
        capacity_1: b?.keysValues.capacity ?? 0,
        capacity_2: c?.keysValues.capacity ?? 0,
        group_kv_heads: this.#kvHeadsPerGroup,
        heads_per_kv: this.#headsPerKv,
        causal: causal ? 1 : 0,
        masked: mask ? 1 : 0,
        out_row_start: range.first,
        out_columns: out.shape[1]!,
        out_column_start: group * groupHeads * headDim,
        scale: 1 / Math.sqrt(headDim),
      },
      overrides: { HEAD_DIM: headDim },
      scalar: this.#scalar,
      grid: [Math.ceil(range.count / TILE_Q), groupHeads],
      work: 2 * range.count * keys * headDim * groupHeads,
    });
  }
}
