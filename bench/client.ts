import { KLEIN_NANO } from "../runtime/models/bundled-model.ts";
import { resolveModel, resolveUrl, workerDeath } from "../runtime/page/start-worker.ts";
import type { ModelAddress } from "../runtime/weights/sources/http-source.ts";
import { unpackError, wrapRun } from "../runtime/remote/rpc.ts";
import { type BenchmarkChoice, type BenchmarkEvent, resolveChoice } from "./options.ts";

/** Options of {@link runBenchmark}. */
export interface BenchmarkOptions extends BenchmarkChoice {
  /** Ends the run and its worker. The iteration then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Address of the folder of klein-nano-base. Required by the cases `base` and `acceleration`. */
  readonly baseModel?: string | URL | undefined;
  /** Address of onnxruntime's wasm file. Default: where the bundler placed it. */
  readonly ortWasmUrl?: string | URL | undefined;
  /** Makes the worker, which must run `kleinbild/bench-worker`. Default: the worker beside this module. */
  readonly createWorker?: (() => Worker) | undefined;
}

/** What goes to the worker. */
export interface WorkerBenchmarkOptions {
  readonly choice: BenchmarkChoice;
  readonly nano: ModelAddress;
  readonly base: ModelAddress | undefined;
  readonly ortWasmUrl: string | undefined;
}

/**
 * Runs the benchmark in a worker of its own and yields its progress. The last event has the report. Ending the iteration
 * early ends the run.
 *
 * @example
 * ```ts
 * import { reportMarkdown, runBenchmark } from "kleinbild/bench";
 *
 * for await (const event of runBenchmark({ cases: ["operators"] }))
 *   if (event.type === "report") console.log(reportMarkdown(event.report));
 * ```
 *
 * @throws KleinbildError `invalid-request` for an invalid option, `no-webgpu` without an adapter, `worker-died` when the
 *   worker ends unexpectedly; the reason of `signal` after an abort
 */
export async function* runBenchmark(options: BenchmarkOptions = {}): AsyncGenerator<BenchmarkEvent, void> {
  const { signal, baseModel, ortWasmUrl, createWorker = startWorker, ...choice } = options;
  signal?.throwIfAborted();
  resolveChoice(choice); // so that an invalid choice fails before a worker starts
  const worker = createWorker();
  const aborted = abortOf(signal);
  try {
    const remote = wrapRun<WorkerBenchmarkOptions, BenchmarkEvent>(worker);
    const ended = Promise.race([workerDeath(worker), aborted.promise]);
    ended.catch(() => {}); // met by the races below
    const started = remote.start({
      choice,
      nano: resolveModel(KLEIN_NANO) as ModelAddress,
      base: baseModel === undefined ? undefined : resolveUrl(baseModel),
      ortWasmUrl: ortWasmUrl === undefined ? undefined : resolveUrl(ortWasmUrl),
    });
    await Promise.race([started, ended]);
    for (;;) {
      const pulled = await Promise.race([remote.next(), ended]);
      if (pulled.kind === "error") throw unpackError(pulled.error);
      if (pulled.kind === "result") return;
      yield pulled.event;
    }
  } finally {
    aborted.forget();
    worker.terminate(); // with the device and all that it does
  }
}

/** The worker beside this module. */
function startWorker(): Worker {
  return new Worker(new URL("./bench-worker.ts", import.meta.url), { type: "module", name: "kleinbild benchmark" });
}

/** Rejects with the signal's reason, until it is forgotten. */
function abortOf(signal: AbortSignal | undefined): { readonly promise: Promise<never>; forget(): void } {
  let onAbort = (): void => {};
  const promise = new Promise<never>((_, reject) => (onAbort = (): void => reject(signal?.reason)));
  signal?.addEventListener("abort", onAbort, { once: true });
  return { promise, forget: () => signal?.removeEventListener("abort", onAbort) };
}
