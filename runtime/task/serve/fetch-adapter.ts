import { createFetchHandler, type FetchHandlerOptions } from "./fetch-handler.ts";
import type { TaskRunner } from "../runner/task-runner-types.ts";

/** Options of `installFetchAdapter`. */
export interface FetchAdapterOptions extends Omit<FetchHandlerOptions, "path"> {
  /** The address that is answered, with its `/media/` below it. Relative to the page. */
  readonly url: string | URL;
  /** The object whose `fetch` is replaced. Default: `globalThis`. */
  readonly target?: FetchTarget | undefined;
}

/** An object with a `fetch` that can be replaced. */
export interface FetchTarget {
  /** Replaced until the adapter is removed. */
  fetch: typeof fetch;
  /** Base of relative addresses. */
  readonly location?:
    | {
        /** The whole address. */
        readonly href: string;
      }
    | undefined;
}

/**
 * Replaces `fetch` so that `runner` answers requests to one address. An unchanged REST client of the API then works in the
 * page.
 *
 * ```ts
 * const runner = createTaskRunner();
 * const uninstall = installFetchAdapter(runner, { url: "https://api.example/v1", media: runner.media });
 * ```
 *
 * @returns restores `fetch`. If something else has wrapped it meanwhile, all requests pass through
 */
export function installFetchAdapter(runner: TaskRunner, options: FetchAdapterOptions): () => void {
  const { url, target = globalThis, ...rest } = options;
  const base = target.location?.href;
  const { origin, pathname } = new URL(url, base);
  const path = pathname.replace(/\/$/, "");
  const handler = createFetchHandler(runner, { ...rest, path });
  const original = target.fetch;
  let installed = true;

  const adapted: typeof fetch = async (input, init) => {
    if (installed) {
      const asked = new URL(input instanceof Request ? input.url : input, base);
      const isOurs = asked.pathname === path || asked.pathname.startsWith(`${path}/media/`);
      if (isOurs && asked.origin === origin)
        return handler(new Request(input instanceof Request ? input : asked, init));
    }
    return original.call(target, input, init);
  };
  target.fetch = adapted;
  return () => {
    installed = false;
    if (target.fetch === adapted) target.fetch = original;
  };
}
