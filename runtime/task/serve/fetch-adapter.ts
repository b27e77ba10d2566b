import { createFetchHandler, type FetchHandlerOptions } from "./fetch-handler.ts";
import type { TaskRunner } from "../runner/task-runner-types.ts";

export interface FetchAdapterOptions extends Omit<FetchHandlerOptions, "path"> {
  /** What is answered here: this address and what is below it. Relative to the page. */
  readonly url: string | URL;
  /** Whose `fetch` is replaced. Default: `globalThis`. */
  readonly target?: FetchTarget | undefined;
}

export interface FetchTarget {
  fetch: typeof fetch;
  readonly location?: { readonly href: string } | undefined;
}

/**
 * Answers requests to one address by `runner` instead of the network, so that an unchanged REST client works in the page.
 *
 * @returns puts the page's `fetch` back; where something else has wrapped it meanwhile, requests just pass through
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
