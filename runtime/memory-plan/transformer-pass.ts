import { rowRanges } from "../gpu/tensor.ts";
import type { StreamRole } from "../transformer/model.ts";
import type { PlannedScope } from "./ledger.ts";
import type { PlanContext } from "./plan-context.ts";
import { PlannedAttention } from "./planned-attention.ts";

/** Rows of the joint sequence that belong together. */
export interface PlannedStream {
  readonly role: StreamRole;
  readonly rows: number;
}

/** Vectors [D] that a `ModulationSet` has: shift, scale and gate five times, shift and scale at the end. */
const MODULATION_VECTORS = 17;

/** What `TransformerModel` and `ModulationTable` allocate. */
export class PlannedTransformer {
  readonly #context: PlanContext;
  readonly #attention: PlannedAttention;
  /** Rank of the LoRAs together. */
  readonly #rank: number;

  constructor(context: PlanContext, rank: number) {
    const { config, scalar, maxBindingBytes } = context.setup;
    const { heads, headDim } = config.transformer;
    this.#context = context;
    this.#attention = new PlannedAttention({ heads, kvHeads: heads, headDim }, scalar, maxBindingBytes);
    this.#rank = rank;
  }

  /** The modulation of all sigmas; nothing of it is given back to `scope`. */
  modulationTable(scope: PlannedScope, sigmas: number): void {
    const { hidden: d, timeChannels } = this.#config;
    const project = (columns: number, out: number): void => {
      scope.tensor("f32", [sigmas, out]);
      this.#context.dense.project(scope, sigmas, "f32", false, [this.#context.kept(out, columns, this.#rank)], "f32");
    };
    scope.tensor("f32", [sigmas, timeChannels]);
    project(timeChannels, d);
    scope.tensor("f32", [sigmas, d]);
    project(d, d);
    scope.tensor("f32", [sigmas, d]);
    for (const vectors of [6, 6, 3, 2]) {
      project(d, vectors * d);
      scope.tensor("f32", [sigmas, vectors * d]);
    }
  }

  modulationVectors(scope: PlannedScope): void {
    for (let i = 0; i < MODULATION_VECTORS; i++) scope.tensor("f32", [this.#config.hidden]);
  }

  rotary(scope: PlannedScope, positions: number): void {
    scope.tensor("f32", [positions, this.#config.headDim / 2, 2]);
  }

  /** A residual stream [rows, D] of latents or text states of `columns`. */
  embed(scope: PlannedScope, rows: number, columns: number): readonly number[] {
    const { rowsPerChunk } = this.#context.setup;
    const stream = this.residual(scope, rows);
    const weight = this.#context.kept(this.#config.hidden, columns, this.#rank);
    for (const { count } of rowRanges(rows, rowsPerChunk))
      this.#context.dense.project(scope, count, "f32", false, [weight], "f32");
    return stream;
  }

  /** A residual stream [rows, D] f32. */
  residual(scope: PlannedScope, rows: number): readonly number[] {
    return scope.rows("f32", rows, this.#config.hidden, this.#context.setup.rowsPerChunk);
  }

  velocity(scope: PlannedScope, rows: number): readonly number[] {
    const { outChannels, hidden } = this.#config;
    const { rowsPerChunk } = this.#context.setup;
    const velocity = scope.rows("f32", rows, outChannels, rowsPerChunk);
    const weight = this.#context.kept(outChannels, hidden, this.#rank);
    for (const { count } of rowRanges(rows, rowsPerChunk))
      this.#context.dense.project(scope, count, "f32", true, [weight], "f32");
    return velocity;
  }

  /** Bytes of the keys and values of reference tokens in all blocks, allocated in the reference cache's memory. */
  keepKeysValues(tokens: number): number {
    const { doubleBlocks, singleBlocks } = this.#config;
    let bytes = 0;
    for (let i = 0; i < doubleBlocks + singleBlocks; i++)
      bytes += this.#attention.keepKeysValues(this.#context.memory, "referenceCache", tokens);
    return bytes;
  }

  /** All blocks over the streams. Blocks of a kind allocate alike. @param stored  references' keys and values are kept */
  run(streams: readonly PlannedStream[], stored: boolean): void {
    const { memory, dense, setup } = this.#context;
    const { scalar, rowsPerChunk } = setup;
    const { hidden: d, mlpHidden: mlp, doubleBlocks, singleBlocks } = this.#config;
    using scope = memory.scope();
    for (const { role, rows } of streams) {
      this.#attention.queries(scope, rows);
      if (role !== "reference" || !stored) this.#attention.keysValues(scope, rows);
      scope.rows(scalar, rows, d, rowsPerChunk);
    }
    const chunks = streams.flatMap(({ rows }) => rowRanges(rows, rowsPerChunk));
    const square = this.#block(d, d);
    const project = (): void => {
      for (const { count: rows } of chunks) {
        const qkv = [0, 1, 2].map(() => scope.tensor(scalar, [rows, d]));
        dense.project(scope, rows, "f32", true, [square, square, square], scalar);
        scope.release(...qkv);
      }
    };
    const finish = (upScaled: boolean, products: () => void, rows: number): void => {
      const hidden = scope.tensor(scalar, [rows, mlp]);
      dense.gatedProject(scope, rows, this.#block(mlp, d), upScaled);
      products();
      scope.release(hidden);
    };
    if (doubleBlocks > 0) {
      project();
      for (const { count: rows } of chunks)
        finish(
          scalar === "f16",
          () => {
            dense.addProducts(scope, rows, [square]);
            dense.addProducts(scope, rows, [this.#block(d, mlp)]);
          },
          rows,
        );
    }
    if (singleBlocks > 0) {
      project();
      for (const { count: rows } of chunks)
        finish(false, () => dense.addProducts(scope, rows, [this.#block(d, d, mlp), this.#block(d, mlp)]), rows);
    }
  }

  /** The pass of isolated references alone. @returns bytes of their keys and values, which stay */
  keepReferences(rows: number): number {
    if (rows === 0) return 0;
    using scope = this.#context.memory.scope();
    this.modulationVectors(scope);
    const kept = this.keepKeysValues(rows);
    this.embed(scope, rows, this.#config.inChannels);
    this.rotary(scope, rows);
    this.run([{ role: "reference", rows }], true);
    return kept;
  }

  get #config(): PlanContext["setup"]["config"]["transformer"] {
    return this.#context.setup.config.transformer;
  }

  #block(out: number, columns: number, cutAs?: number): ReturnType<PlanContext["block"]> {
    return this.#context.block(out, columns, this.#rank, cutAs);
  }
}
