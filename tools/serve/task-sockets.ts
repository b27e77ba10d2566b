import { EventEmitter } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { NodeWebSocket } from "@hono/node-ws";
import type { Context } from "hono";
import type { WSContext, WSEvents } from "hono/ws";
import { bearerKey, keyCheck } from "../../runtime/task/serve/api-key.ts";
import { SocketSession } from "../../runtime/task/serve/socket-session.ts";
import type { TaskRunner } from "../../runtime/task/runner/task-runner-types.ts";

/** Unread bytes after which a client is disconnected: twenty pictures of 2048 x 2048 as PNG in base64. */
const MAX_UNREAD_BYTES = 256 * 2 ** 20;
/** Close code of a server that ends (RFC 6455). */
const GOING_AWAY = 1001;

/** The members of the underlying socket that are used here. The package `ws` has no types. */
interface RawSocket {
  readonly bufferedAmount: number;
  terminate(): void;
}

export interface TaskSocketOptions {
  readonly runner: TaskRunner;
  readonly apiKey?: string | undefined;
  readonly maxMessageBytes: number;
}

/** The WebSocket connections of a server. */
export class TaskSockets {
  readonly #options: TaskSocketOptions;
  readonly #sessions = new Map<SocketSession, WSContext>();

  constructor(options: TaskSocketOptions) {
    this.#options = options;
  }

  /** Handles a connection whose request was accepted. */
  accept(context: Context): WSEvents {
    const { runner, apiKey, maxMessageBytes } = this.#options;
    const hasKey = keyCheck(apiKey)(bearerKey(context.req.raw.headers));
    let session: SocketSession | undefined;
    const end = (): void => {
      if (!session) return;
      session.close();
      this.#sessions.delete(session);
    };
    return {
      onOpen: (_event, socket) => {
        const options = { apiKey, maxMessageLength: maxMessageBytes, authenticated: hasKey };
        session = new SocketSession(runner, (text) => send(socket, text), options);
        this.#sessions.set(session, socket);
      },
      onMessage: ({ data }) => {
        if (data instanceof Blob) return; // not in Node
        void session?.receive(typeof data === "string" ? data : new TextDecoder().decode(data));
      },
      onClose: end,
      onError: end,
    };
  }

  /** Ends all connections and aborts their tasks. */
  close(): void {
    for (const [session, socket] of this.#sessions) {
      session.close();
      socket.close(GOING_AWAY, "The server ends.");
    }
    this.#sessions.clear();
  }
}

function send(socket: WSContext, text: string): void {
  const raw = socket.raw as RawSocket;
  if (raw.bufferedAmount > MAX_UNREAD_BYTES) raw.terminate();
  else socket.send(text);
}

/** Passes the server's upgrades to `nodeSocket`, except requests that would make it throw, and limits its messages. */
export function attachSockets(server: Server, nodeSocket: NodeWebSocket, maxMessageBytes: number): void {
  const checked = new EventEmitter();
  nodeSocket.injectWebSocket(checked as Server);
  (nodeSocket.wss as { readonly options: { maxPayload: number } }).options.maxPayload = maxMessageBytes;
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy()); // nothing else listens before the connection is open
    if (!/^\/(?!\/)/.test(request.url ?? "") || request.url!.includes("\\")) {
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    request.socket.setKeepAlive(true, 30_000); // so that a client that vanished does not keep the engine
    checked.emit("upgrade", request, socket, head);
  });
}
