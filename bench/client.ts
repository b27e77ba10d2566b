import { KLEIN_NANO } from "../runtime/models/bundled-model.ts";
import { resolveModel, resolveUrl, workerDeath } from "../runtime/page/start-worker.ts";
import type { ModelAddress } from "../runtime/weights/sources/http-source.ts";
import { unpackError, wrapRun } from "../runtime/remote/rpc.ts";
import { type BenchmarkChoice, type BenchmarkEvent, resolveChoice } from "./options.ts";

/** A run in a page. */
export interface BenchmarkOptions extends BenchmarkChoice {
  /** Ends the run and its worker; what it throws is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Address of the folder of klein-nano-base, for the cases that need it. */
  readonly baseModel?: string | URL | undefined;
  /** Address of onnxruntime's wasm file, where the bundler does not take care of it. */
  readonly ortWasmUrl?: string | URL | undefined;
  /** Makes the worker, for pages whose bundler or policy needs its own way; it must run `kleinbild/bench-worker`. */
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
 * Runs the benchmark in a worker of its own: events as it goes, the report as the last of them. Ending the iteration early
 * ends the run.
 *
 * @throws KleinbildError (`invalid-request` for what is no option), or the reason of `signal`
 */
export async function* runBenchmark(options: BenchmarkOptions = {}): AsyncGenerator<BenchmarkEvent, void> {
  const { signal, baseModel, ortWasmUrl, createWorker = startWorker, ...choice } = options;
  signal?.throwIfAborted();
  resolveChoice(choice); // what is wrong with it is told before a worker is started
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
