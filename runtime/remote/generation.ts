import { EventLog } from "../async/event-stream.ts";
import type { RunEvent, RunReport } from "../events.ts";
import { GeneratedImage } from "../image/generated.ts";
import type { GenerateRequest } from "../request/request.ts";
import { type EngineHandle, runEngineWork } from "./engine-handle.ts";

/** A picture, and the report of how it was made. */
export interface GenerateResult {
  /** The picture. */
  readonly image: GeneratedImage;
  /** Seed, settings, timings, memory and warnings. */
  readonly report: RunReport;
}

/** One of the request's pictures is done. */
export interface ResultEvent extends GenerateResult {
  /** Always `result`. */
  readonly type: "result";
  /** Index of the picture in the request, from 0. */
  readonly result: number;
}

/** What an iteration over a `Generation` yields; switch on `type`. */
export type GenerateEvent = RunEvent | ResultEvent;

/**
 * A request under way: an async iterable of its events, and promises of its pictures.
 *
 * Every iteration yields all events from the first one on, also after the end. All three ways to wait fail with the same
 * error; a promise that nobody awaits causes no unhandled rejection.
 *
 * ```ts
 * const generation = engine.generate({ prompt: "a fox on a teal background" });
 * for await (const event of generation) if (event.type === "step") console.log(event.step, "of", event.steps);
 * const { image, report } = await generation.result;
 * ```
 */
export class Generation implements AsyncIterable<GenerateEvent> {
  /** Resolves when the first picture is done. */
  readonly result: Promise<GenerateResult>;
  /** Resolves when all pictures are done, as many as `results` of the request. */
  readonly results: Promise<readonly GenerateResult[]>;
  readonly #events = new EventLog<GenerateEvent>();

  /** @internal */
  constructor(handle: EngineHandle<never>, request: GenerateRequest, signal: AbortSignal | undefined) {
    let resolveFirst!: (result: GenerateResult) => void;
    const first = new Promise<GenerateResult>((resolve) => (resolveFirst = resolve));
    this.results = this.#run(handle, request, signal, resolveFirst);
    this.result = Promise.race([first, this.results.then(([result]) => result!)]);
    this.results.catch(() => {});
    this.result.catch(() => {});
  }

  /** Yields all events. @throws what the request fails with: KleinbildError, or the reason of its signal */
  async *[Symbol.asyncIterator](): AsyncGenerator<GenerateEvent, void> {
    yield* this.#events;
    await this.results;
  }

  async #run(
    handle: EngineHandle<never>,
    request: GenerateRequest,
    signal: AbortSignal | undefined,
    onFirst: (result: GenerateResult) => void,
  ): Promise<readonly GenerateResult[]> {
    const results: GenerateResult[] = [];
    try {
      signal?.throwIfAborted();
      const work = { kind: "generate", request: await withoutBlobs(request) } as const;
      await runEngineWork(handle, work, {
        signal,
        onEvent: (event) => {
          if (event.type !== "result") return this.#events.add(event);
          const { image: pixels, metadata, ...rest } = event;
          const picture = { ...rest, image: new GeneratedImage(pixels, metadata, handle.codec) };
          results.push(picture);
          if (results.length === 1) onFirst(picture);
          this.#events.add(picture);
        },
      });
      return results;
    } finally {
      this.#events.end();
    }
  }
}

/** A copy of the request that can cross to a child process, where Blobs cannot. The engine checks the rest of it. */
async function withoutBlobs(request: GenerateRequest): Promise<GenerateRequest> {
  const crossing: Record<string, unknown> = { ...request };
  const bytes = (value: unknown): unknown => (value instanceof Blob ? value.arrayBuffer() : value);
  if (Array.isArray(request.references)) crossing["references"] = await Promise.all(request.references.map(bytes));
  if (Array.isArray(request.loras))
    crossing["loras"] = await Promise.all(
      request.loras.map(async (lora: unknown) =>
        typeof lora === "object" && lora !== null && "data" in lora ? { ...lora, data: await bytes(lora.data) } : lora,
      ),
    );
  return crossing as unknown as GenerateRequest;
}
