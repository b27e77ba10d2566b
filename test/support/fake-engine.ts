import { KleinbildError } from "../../runtime/errors.ts";
import type { Kleinbild } from "../../runtime/remote/kleinbild.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";

/** Fake weights: their name, and the error that they fail with. */
export interface FakeSource {
  readonly name: string;
  readonly loadFailure?: Error;
  readonly runFailure?: Error;
}

/** Engines that make pictures of four bytes, and record requests. */
export class FakeEngines {
  readonly requests: GenerateRequest[] = [];
  /** Loads and disposals, in order. */
  readonly log: string[] = [];
  /** Called before each picture. */
  beforePicture: (index: number) => Promise<void> | void = () => {};

  readonly create = async (source: FakeSource): Promise<Kleinbild> => {
    if (source.loadFailure) throw source.loadFailure;
    this.log.push(`load ${source.name}`);
    return {
      generate: (request: GenerateRequest, options: { readonly signal?: AbortSignal }) =>
        this.#run(source, request, options.signal),
      dispose: async (): Promise<void> => void this.log.push(`dispose ${source.name}`),
    } as unknown as Kleinbild;
  };

  async *#run(source: FakeSource, request: GenerateRequest, signal: AbortSignal | undefined): AsyncGenerator {
    this.requests.push(request);
    for (let result = 0; result < (request.results ?? 1); result++) {
      yield { type: "step", result, step: 1, steps: 1, sigma: 1, milliseconds: 1 };
      await this.beforePicture(result);
      if (signal?.aborted) throw signal.reason as Error;
      if (source.runFailure) throw source.runFailure;
      const seed = ((request.seed as bigint | undefined) ?? 4n) + BigInt(result);
      yield {
        type: "result",
        result,
        image: {
          encode: async ({ type, quality }: { readonly type: string; readonly quality: number }) => ({
            bytes: Uint8Array.of(result, 2, 3, Math.round(quality * 100)),
            type,
            warnings: [],
          }),
        },
        report: {
          model: source.name,
          seed: seed.toString(),
          referenceCache: { hit: false },
          passes: { total: 1, skipped: 0 },
          timings: { total: 1 },
          warnings: [],
        },
      };
    }
  }
}

/** What an adapter that is too weak fails with. */
export function tooWeak(): KleinbildError {
  return new KleinbildError("no-webgpu", "There is no WebGPU adapter.");
}
