import { KLEIN_NANO } from "../runtime/models/bundled-model.ts";
import { resolveModel, resolveUrl, workerDeath } from "../runtime/page/start-worker.ts";
import type { ModelAddress } from "../runtime/weights/sources/http-source.ts";
import { connectHost } from "../runtime/remote/comlink-port.ts";
import { runRemote } from "../runtime/remote/run-remote.ts";
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

/** Options for the worker, with absolute addresses. */
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
  const work = {
    choice,
    nano: resolveModel(KLEIN_NANO) as ModelAddress,
    base: baseModel === undefined ? undefined : resolveUrl(baseModel),
    ortWasmUrl: ortWasmUrl === undefined ? undefined : resolveUrl(ortWasmUrl),
  };
  const worker = createWorker();
  // an abort ends the worker at once, so it counts as its end
  const died = AbortSignal.any([workerDeath(worker), ...(signal ? [signal] : [])]);
  try {
    const host = connectHost<WorkerBenchmarkOptions>(worker);
    yield* runRemote<WorkerBenchmarkOptions, BenchmarkEvent, void>({ host, died }, work);
  } finally {
    worker.terminate(); // also stops the work on the device
  }
}

/** The worker beside this module. */
function startWorker(): Worker {
  return new Worker(new URL("./bench-worker.ts", import.meta.url), { type: "module", name: "kleinbild benchmark" });
}
