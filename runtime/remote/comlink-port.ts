import * as Comlink from "comlink";
import type { RemoteHost } from "./protocol.ts";

/** Either end of a channel of messages: a worker, its own global scope, or the pipe of a child process. */
export type Endpoint = Comlink.Endpoint;

/**
 * Serves `host` on an endpoint.
 *
 * @param transfer  buffers of an event to move instead of copying them. Default: none
 * @param endpoint  Default: the global scope of the worker that calls this
 */
export function exposeHost<Work>(
  host: RemoteHost<Work>,
  transfer: (event: unknown) => Transferable[] = () => [],
  endpoint?: Endpoint,
): void {
  const exposed: RemoteHost<Work> = {
    start: (id, work) => host.start(id, work),
    cancel: (id) => host.cancel(id),
    next: async (id) => {
      const pulled = await host.next(id);
      return pulled.kind === "event" ? Comlink.transfer(pulled, transfer(pulled.event)) : pulled;
    },
  };
  Comlink.expose(exposed, endpoint);
}

/** The host that `exposeHost` serves on the other end. */
export function connectHost<Work>(endpoint: Endpoint): RemoteHost<Work> {
  return Comlink.wrap<RemoteHost<Work>>(endpoint) as unknown as RemoteHost<Work>;
}
