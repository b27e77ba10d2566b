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
  /** Holds the cached tensors. */
  readonly scope: MemoryScope;
  readonly stepCache: StepCacheOptions;
}

/** One evaluation: its streams, and a function that runs a range of blocks over them. */
export interface CachedEvaluation {
  /** Lives as long as the evaluation. */
  readonly scope: MemoryScope;
  readonly step: number;
  readonly streams: readonly Stream[];
  readonly run: (range: BlockRange) => Promise<void>;
}

/**
 * The step cache of one guidance pass. There are three ranges of blocks: the first ones always run, the middle ones run or
 * their cached change is added, the last ones always run. The target stream decides. The cached change covers every stream that
 * a last block reads.
 */
export class StepCachePass {
  readonly #options: StepCachePassOptions;
  readonly #split: BlockSplit;
  readonly #decision: StepCacheDecision;
  /** The tensor of the target that the next measurement compares with, [tokens, D] f32. */
  #compared: ChunkedMatrix | undefined;
  /** Change of each stream by the middle blocks, [rows, D] f32. */
  readonly #changes = new Map<StreamRole, ChunkedMatrix>();

  constructor(options: StepCachePassOptions) {
    this.#options = options;
    this.#split = splitBlocks(options.stepCache, options.model.blocks);
    this.#decision = new StepCacheDecision(options.stepCache);
  }

  /**
   * Runs the blocks of one evaluation, or some of them, and adds the cached change of the others.
   * @returns whether it added the cached change
   */
  async evaluate(evaluation: CachedEvaluation): Promise<boolean> {
    const { step, run } = evaluation;
    const { blocks } = this.#options.model;
    if (!this.#decision.isWorthCaching(step)) {
      await run({ from: 0, to: blocks });
      return false;
    }
    const { first, last } = this.#split;
    const reused = await this.#firstBlocks(evaluation);
    if (reused) this.#addChanges(evaluation.streams);
    else {
      await this.#cacheChanges(evaluation.streams, () => run({ from: first, to: last }));
      this.#decision.computed();
    }
    if (last < blocks) await run({ from: last, to: blocks });
    return reused;
  }

  /** Releases the cached tensors to their scope. */
  dispose(): void {
    this.#options.scope.releaseMatrix(this.#compared, ...this.#changes.values());
    this.#compared = undefined;
    this.#changes.clear();
  }

  /** Runs the blocks before the decision, and decides. */
  async #firstBlocks({ scope, step, streams, run }: CachedEvaluation): Promise<boolean> {
    const { gpu, stepCache, model } = this.#options;
    const target = streams.find(({ role }) => role === "target")!;
    let compared: ChunkedMatrix;
    if (stepCache.method.kind === "tea")
      compared = modulatedInput(gpu, scope, target.hidden, target.modulation.image[0], model.config.eps);
    else {
      compared = copyMatrix(gpu.recorder, scope, target.hidden);
      await run({ from: 0, to: this.#split.first });
      accumulateMatrix(gpu.recorder, compared, -1, target.hidden, 1);
    }
    const reuses =
      this.#decision.mayReuse(step) &&
      this.#decision.reuses(await measureRelativeChange(gpu, compared, this.#compared!));
    // TeaCache adds up changes between neighbouring evaluations; the others compare with the one that computed
    if (!reuses || stepCache.method.kind === "tea") {
      this.#compared ??= allocateLike(this.#options.scope, compared);
      overwriteMatrix(gpu.recorder, compared, this.#compared);
    }
    scope.releaseMatrix(compared);
    return reuses;
  }

  #addChanges(streams: readonly Stream[]): void {
    for (const { role, hidden } of streams) {
      const change = this.#changes.get(role);
      if (change) accumulateMatrix(this.#options.gpu.recorder, hidden, 1, change, 1);
    }
  }

  /** Runs the middle blocks, and caches hidden after − hidden before, computed in place. */
  async #cacheChanges(streams: readonly Stream[], run: () => Promise<void>): Promise<void> {
    const { recorder } = this.#options.gpu;
    const cached = streams.filter(({ role }) => role === "target" || this.#split.last < this.#options.model.blocks);
    const changes = cached.map(({ role, hidden }) => {
      const change = this.#changes.get(role) ?? allocateLike(this.#options.scope, hidden);
      this.#changes.set(role, change);
      overwriteMatrix(recorder, hidden, change);
      return change;
    });
    await run();
    for (const [i, { hidden }] of cached.entries()) accumulateMatrix(recorder, changes[i]!, -1, hidden, 1);
  }
}

function allocateLike(scope: MemoryScope, { rows, columns, dtype, rowsPerChunk }: ChunkedMatrix): ChunkedMatrix {
  return scope.matrix("step cache", dtype, rows, columns, rowsPerChunk);
}
