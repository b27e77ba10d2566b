import type { GenerateRequest, GenerateResult, ModelConfig, PixelImage, RunReport } from "../../runtime/index.ts";
import type { EngineSession } from "./engine-session.ts";
import type { Lora } from "./loras.ts";
import { Observable } from "./observable.ts";
import type { Picture } from "./picture.ts";
import { loadStage, RunStages, type Stage, WAITING } from "./progress.ts";
import type { Reference } from "./references.ts";

/** What a picture is made from. */
export interface Order {
  readonly prompt: string;
  /** Asked for when its turn comes, since the model may be another one by then. */
  readonly request: (model: ModelConfig) => GenerateRequest;
  readonly references: readonly Reference[];
  readonly loras: readonly Lora[];
  /** Of the live picture, which takes the place of the one before. */
  readonly live: boolean;
}

/** An order in the queue, and what became of it. */
export interface Job {
  readonly id: number;
  readonly order: Order;
  readonly status: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly stage: Stage;
  /** The picture as it is predicted, at an eighth of its size. */
  readonly preview?: PixelImage;
  readonly pictures: readonly Picture[];
  readonly error?: unknown;
}

/** What the queue needs of the session. */
export type EngineSource = Pick<
  EngineSession,
  "engine" | "refresh" | "reportFailure" | "state" | "addEventListener" | "removeEventListener"
>;

/** Makes one order after the other. */
export class RunQueue extends Observable {
  readonly #session: EngineSource;
  readonly #onPicture: (picture: Picture, job: Job) => void;
  readonly #aborts = new Map<number, AbortController>();
  /** Milliseconds that the pass over these references took when it was computed, by model and references. */
  readonly #referencesMs = new Map<string, number>();
  #decodeMs: number | undefined;
  #jobs: readonly Job[] = [];
  #lastId = 0;
  #working = false;

  constructor(session: EngineSource, onPicture: (picture: Picture, job: Job) => void) {
    super();
    this.#session = session;
    this.#onPicture = onPicture;
  }

  /** Those that wait or run, in order. */
  get pending(): readonly Job[] {
    return this.#jobs.filter(isPending);
  }

  get running(): Job | undefined {
    return this.#jobs.find(({ status }) => status === "running");
  }

  /** The job whose turn came last, running or over. */
  get latest(): Job | undefined {
    return this.#jobs.findLast(({ status }) => status !== "waiting");
  }

  /** @returns the job's number */
  add(order: Order): number {
    const id = ++this.#lastId;
    // of those that are over, the last says what happened
    this.#jobs = [
      ...this.#jobs.filter((job) => isPending(job) || job === this.latest),
      { id, order, status: "waiting", stage: WAITING, pictures: [] },
    ];
    this.#aborts.set(id, new AbortController());
    this.changed();
    void this.#work();
    return id;
  }

  /** Cancels a job, the running one unless told otherwise. Pictures that it finished stay. */
  cancel(id = this.running?.id): void {
    const job = this.#jobs.find((job) => job.id === id);
    if (!job || !isPending(job)) return;
    this.#aborts.get(job.id)?.abort();
    if (job.status === "running") return; // its end says that it was cancelled
    this.#aborts.delete(job.id);
    this.#jobs = this.#jobs.filter((other) => other !== job);
    this.changed();
  }

  cancelAll(): void {
    for (const { id } of this.pending.toReversed()) this.cancel(id);
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let job = this.#next(); job; job = this.#next()) await this.#run(job);
    } finally {
      this.#working = false;
    }
  }

  #next(): Job | undefined {
    return this.#jobs.find(({ status }) => status === "waiting");
  }

  async #run({ id, order }: Job): Promise<void> {
    const { signal } = this.#aborts.get(id)!;
    this.#update(id, { status: "running" });
    try {
      await this.#generate(id, order, signal);
      this.#update(id, { status: "done" });
    } catch (error) {
      if (signal.aborted) this.#update(id, { status: "cancelled" });
      else {
        this.#update(id, { status: "failed", error });
        await this.#session.reportFailure(error);
      }
    } finally {
      this.#aborts.delete(id);
    }
  }

  async #generate(id: number, order: Order, signal: AbortSignal): Promise<void> {
    const engine = await this.#whileLoading(id, signal);
    const { model } = await engine.info();
    const request = order.request(model);
    const stages = new RunStages(
      {
        steps: request.steps ?? model.defaultSteps,
        results: request.results ?? 1,
        references: order.references.length > 0,
        guided: !model.distilled && (request.guidance ?? model.defaultGuidance ?? 1) > 1,
      },
      this.#decodeMs,
    );
    this.#update(id, { stage: stages.begin() });
    const generation = engine.generate(
      {
        ...request,
        references: order.references.map(({ file }) => file),
        loras: order.loras.map(({ file, name, weight }) => ({ data: file, name, weight })),
      },
      { signal },
    );
    for await (const event of generation) {
      if (event.type === "result") await this.#keep(id, event, order, request);
      else
        this.#update(id, {
          stage: stages.after(event),
          ...(event.type === "step" && event.preview && { preview: event.preview }),
        });
    }
    await this.#session.refresh();
  }

  /** The engine; its progress is the job's for so long. A cancelled job does not wait for it. */
  async #whileLoading(id: number, signal: AbortSignal): ReturnType<EngineSession["engine"]> {
    const follow = (): void => {
      const { state } = this.#session;
      if (state.status === "loading" && state.progress) this.#update(id, { stage: loadStage(state.progress) });
    };
    this.#session.addEventListener("change", follow);
    follow(); // behind the last byte nothing is told for long
    try {
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
      return await Promise.race([this.#session.engine(), aborted]);
    } finally {
      this.#session.removeEventListener("change", follow);
    }
  }

  async #keep(id: number, result: GenerateResult, order: Order, request: GenerateRequest): Promise<void> {
    const { image, report } = result;
    this.#decodeMs = report.timings.decode;
    const savedMs = this.#savedBy(report, order);
    const picture: Picture = {
      id: crypto.randomUUID(),
      created: Date.now(),
      file: await image.toBlob(),
      metadata: image.metadata,
      request: { ...request, seed: report.seed, results: 1 },
      references: order.references.map(({ name, file }) => ({ name, file })),
      report,
      ...(savedMs !== undefined && { savedMs }),
    };
    const job = this.#jobs.find((job) => job.id === id)!;
    this.#update(id, { pictures: [...job.pictures, picture] });
    this.#onPicture(picture, job);
  }

  #savedBy({ referenceCache, timings, model }: RunReport, { references }: Order): number | undefined {
    const key = [model, ...references.map(({ id }) => id)].join(" ");
    if (!referenceCache.hit) {
      if (timings.references !== undefined) this.#referencesMs.set(key, timings.references);
      return undefined;
    }
    const computed = this.#referencesMs.get(key);
    return computed === undefined ? undefined : Math.max(0, computed - (timings.references ?? 0));
  }

  #update(id: number, change: Partial<Job>): void {
    this.#jobs = this.#jobs.map((job) => (job.id === id ? { ...job, ...change } : job));
    this.changed();
  }
}

const isPending = ({ status }: Job): boolean => status === "waiting" || status === "running";
