import type { Gpu } from "../gpu/device.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import { accumulateMatrix, copyMatrix, overwriteMatrix } from "../gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { BlockRange, Stream, StreamRole, TransformerModel } from "./model.ts";
import { type BlockSplit, splitBlocks, type StepCacheOptions } from "./step-cache.ts";
import { StepCacheDecision } from "./step-cache-decision.ts";
import { modulatedInput, measureRelativeChange } from "./step-cache-measure.ts";

export interface StepCachePassOptions {
  readonly gpu: Gpu;
  readonly model: TransformerModel;
  /** Lives as long as what is kept. */
  readonly scope: MemoryScope;
  readonly stepCache: StepCacheOptions;
}

/** One evaluation: its streams, and what runs a range of blocks over them. */
export interface CachedEvaluation {
  /** Lives as long as the evaluation. */
  readonly scope: MemoryScope;
  readonly step: number;
  readonly streams: readonly Stream[];
  readonly run: (range: BlockRange) => Promise<void>;
}

/**
 * The step cache of one guidance pass. Blocks are in three ranges: the first ones always run, the middle ones run or their
 * kept change is added, the last ones always run. What decides is measured on the target stream; the kept change
 * is that of every stream that a last block reads.
 */
export class StepCachePass {
  readonly #options: StepCachePassOptions;
  readonly #split: BlockSplit;
  readonly #decision: StepCacheDecision;
  /** What the next measurement compares with, of the target, [tokens, D] f32. */
  #compared: ChunkedMatrix | undefined;
  /** Change of each stream by the middle blocks, [rows, D] f32. */
  readonly #changes = new Map<StreamRole, ChunkedMatrix>();

  constructor(options: StepCachePassOptions) {
    this.#options = options;
    this.#split = splitBlocks(options.stepCache, options.model.blocks);
    this.#decision = new StepCacheDecision(options.stepCache);
  }

  /**
   * Runs the blocks of one evaluation, or some of them and the kept change of the others.
   * @returns whether it reused
   */
  async evaluate(evaluation: CachedEvaluation): Promise<boolean> {
    const { step, run } = evaluation;
    const { blocks } = this.#options.model;
    if (!this.#decision.worthKeeping(step)) {
      await run({ from: 0, to: blocks });
      return false;
    }
    const { first, last } = this.#split;
    const reused = await this.#firstBlocks(evaluation);
    if (reused) this.#addChanges(evaluation.streams);
    else {
      await this.#keepChanges(evaluation.streams, () => run({ from: first, to: last }));
      this.#decision.computed();
    }
    if (last < blocks) await run({ from: last, to: blocks });
    return reused;
  }

  /** Gives what is kept back to its scope. */
  dispose(): void {
    this.#options.scope.releaseMatrix(this.#compared, ...this.#changes.values());
    this.#compared = undefined;
    this.#changes.clear();
  }

  /** Runs the blocks before the decision, and decides. */
  async #firstBlocks({ scope, step, streams, run }: CachedEvaluation): Promise<boolean> {
    const { gpu, stepCache, model } = this.#options;
    const target = streams.find(({ role }) => role === "target")!;
    let looked: ChunkedMatrix;
    if (stepCache.method.kind === "tea")
      looked = modulatedInput(gpu, scope, target.hidden, target.modulation.image[0], model.config.eps);
    else {
      looked = copyMatrix(gpu.recorder, scope, target.hidden);
      await run({ from: 0, to: this.#split.first });
      accumulateMatrix(gpu.recorder, looked, -1, target.hidden, 1);
    }
    const reuses =
      this.#decision.mayReuse(step) && this.#decision.reuses(await measureRelativeChange(gpu, looked, this.#compared!));
    // TeaCache adds up changes from evaluation to evaluation, the others compare with the one that computed
    if (!reuses || stepCache.method.kind === "tea") {
      this.#compared ??= likeRows(this.#options.scope, looked);
      overwriteMatrix(gpu.recorder, looked, this.#compared);
    }
    scope.releaseMatrix(looked);
    return reuses;
  }

  #addChanges(streams: readonly Stream[]): void {
    for (const { role, hidden } of streams) {
      const change = this.#changes.get(role);
      if (change) accumulateMatrix(this.#options.gpu.recorder, hidden, 1, change, 1);
    }
  }

  /** Runs the middle blocks and keeps hidden after − hidden before, made in place. */
  async #keepChanges(streams: readonly Stream[], run: () => Promise<void>): Promise<void> {
    const { recorder } = this.#options.gpu;
    const kept = streams.filter(({ role }) => role === "target" || this.#split.last < this.#options.model.blocks);
    const changes = kept.map(({ role, hidden }) => {
      const change = this.#changes.get(role) ?? likeRows(this.#options.scope, hidden);
      this.#changes.set(role, change);
      overwriteMatrix(recorder, hidden, change);
      return change;
    });
    await run();
    for (const [i, { hidden }] of kept.entries()) accumulateMatrix(recorder, changes[i]!, -1, hidden, 1);
  }
}

function likeRows(scope: MemoryScope, { rows, columns, dtype, rowsPerChunk }: ChunkedMatrix): ChunkedMatrix {
  return scope.matrix("step cache", dtype, rows, columns, rowsPerChunk);
}
