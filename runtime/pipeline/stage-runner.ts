import type { LoadEvent, StageTimings } from "../events.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { withEvents } from "../async/event-stream.ts";
import { PART_OF_STAGE, type Residency, type Stage } from "./stages.ts";

/** Notified when a run enters a stage, and when it leaves it. */
export interface StageObserver {
  /** The weights of the stage are loaded; nothing else of it is done yet. */
  begin(stage: Stage): void;
  /** All work of the stage is done; its weights are still there. */
  end(stage: Stage): void;
}

/** How a run goes through its stages. */
export interface StageOptions {
  readonly signal?: AbortSignal | undefined;
  /** The parts whose weights stay in each stage. Default: all. */
  readonly residency?: Residency | undefined;
  readonly observer?: StageObserver | undefined;
}

/** A piece of a stage's work. */
export interface StageTask {
  /** Default: the stage that the run is in, for work that needs no weights. */
  readonly stage?: Stage | undefined;
  /** Its name in GPU errors. */
  readonly name: string;
  /** The timing that it counts toward. Default: none. */
  readonly timing?: keyof StageTimings;
}

/**
 * Takes a run from stage to stage: loads and frees weights, checks for GPU errors, measures the time, and holds the tensors
 * that later stages read.
 */
export class StageRunner implements Disposable {
  readonly signal: AbortSignal | undefined;
  /** Holds the tensors that one stage leaves to later ones, until the run ends. */
  readonly scope: MemoryScope;
  readonly #model: Pick<LoadedModel, "gpu" | "isLoaded" | "load" | "keepOnly">;
  readonly #residency: Residency | undefined;
  readonly #observer: StageObserver | undefined;
  #stage: Stage | undefined;
  #started = performance.now();

  constructor(
    model: Pick<LoadedModel, "gpu" | "isLoaded" | "load" | "keepOnly">,
    { signal, residency, observer }: StageOptions,
  ) {
    this.#model = model;
    this.signal = signal;
    this.#residency = residency;
    this.#observer = observer;
    this.scope = model.gpu.memory.scope();
    model.gpu.clock.reset();
  }

  /**
   * Runs `work` in its stage, which it enters where the run is in another one.
   * @throws KleinbildError `gpu-validation`, `out-of-memory` or `device-lost`, and any error of `work`
   */
  async *run<T>({ stage, name, timing }: StageTask, work: () => Promise<T>): AsyncGenerator<LoadEvent, T> {
    if (stage && stage !== this.#stage) yield* this.#enter(stage);
    return this.#model.gpu.checked(name, () => (timing ? this.time(timing, work) : work()));
  }

  /** Counts the GPU's time for `work` toward a timing; for a part of a task that itself counts toward none. */
  async time<T>(timing: keyof StageTimings, work: () => Promise<T>): Promise<T> {
    return this.#model.gpu.clock.time(timing, work);
  }

  /**
   * Cuts `items` into batches that go through two stages: one item after the other, or all of them through `first` before
   * `second` where the part that `first` works with does not stay for `second`.
   */
  batches<T>(items: readonly T[], first: Stage, second: Stage): readonly (readonly T[])[] {
    const stays = this.#residency?.[second].includes(PART_OF_STAGE[first]) ?? true;
    return stays ? items.map((item) => [item]) : [items];
  }

  /** Milliseconds of each timing, and in total, since the run began or this was last called. Waits for the GPU. */
  async timings(): Promise<StageTimings> {
    const timings = { ...(await this.#model.gpu.clock.collect()), total: performance.now() - this.#started };
    this.#started = performance.now();
    return timings;
  }

  [Symbol.dispose](): void {
    this.#leave();
    this.scope.dispose();
  }

  /** Frees the parts that do not stay for the stage, then loads the one that it works with. */
  async *#enter(stage: Stage): AsyncGenerator<LoadEvent, void> {
    this.#leave();
    const model = this.#model;
    const part = PART_OF_STAGE[stage];
    if (this.#residency) await model.keepOnly(this.#residency[stage]);
    if (!model.isLoaded(part))
      yield* withEvents<LoadEvent, void>((emit) =>
        model.gpu.checked("loading", () =>
          model.load([part], {
            signal: this.signal,
            onProgress: (of, loadedBytes, totalBytes) =>
              emit({ type: "load", stage: "gpu", part: of, loadedBytes, totalBytes }),
          }),
        ),
      );
    this.#stage = stage;
    this.#observer?.begin(stage);
  }

  #leave(): void {
    if (this.#stage) this.#observer?.end(this.#stage);
    this.#stage = undefined;
  }
}
