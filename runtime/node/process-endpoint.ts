import type { Endpoint } from "../remote/comlink-port.ts";

/** Either end of a pipe between processes: a child process, or `process` in the child. */
interface ProcessPipe {
  send?(message: unknown): boolean;
  on(event: "message", listener: (message: unknown) => void): unknown;
  off(event: "message", listener: (message: unknown) => void): unknown;
}

/** A process's pipe as an endpoint for comlink. What a worker would transfer is copied. */
export function processEndpoint(pipe: ProcessPipe): Endpoint {
  const listeners = new Map<unknown, (message: unknown) => void>();
  return {
    postMessage: (message: unknown) => void pipe.send?.(message),
    addEventListener: (_type, listener) => {
      const onMessage = (data: unknown): void => {
        const event = { data } as MessageEvent;
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      listeners.set(listener, onMessage);
      pipe.on("message", onMessage);
    },
    removeEventListener: (_type, listener) => {
      const onMessage = listeners.get(listener);
      if (onMessage) pipe.off("message", onMessage);
      listeners.delete(listener);
    },
  };
}
