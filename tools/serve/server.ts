import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { createNodeWebSocket } from "@hono/node-ws";
import { Hono } from "hono";
import { KleinbildError } from "../../runtime/errors.ts";
import { refusal } from "../../runtime/task/serve/api-response.ts";
import { createFetchHandler } from "../../runtime/task/serve/fetch-handler.ts";
import type { MediaSource } from "../../runtime/task/serve/media-response.ts";
import { MAX_REQUEST_BYTES } from "../../runtime/task/schema/task-list.ts";
import type { TaskRunner } from "../../runtime/task/runner/task-runner-types.ts";
import { answerCors, checkHost, checkOrigin } from "./guards.ts";
import { hostNames, inUrl, isLoopback } from "./hosts.ts";
import { attachSockets, TaskSockets } from "./task-sockets.ts";

export interface ServerOptions {
  readonly runner: TaskRunner;
  /** Pictures for outputs of type URL. */
  readonly media?: MediaSource | undefined;
  /** Default: 127.0.0.1. An address that other machines reach needs `apiKey`. */
  readonly host?: string | undefined;
  /** 0 takes any free port. Default: 8080. */
  readonly port?: number | undefined;
  readonly apiKey?: string | undefined;
  /** Origins of pages that may send requests, such as `https://example.com`. `*` allows all and needs `apiKey`. Default: none. */
  readonly allowOrigins?: readonly string[] | undefined;
  /** Further names of the server, without ports. */
  readonly hostNames?: readonly string[] | undefined;
  /** Limit on the bytes of a request or message. Default: 64 MiB. */
  readonly maxBodyBytes?: number | undefined;
}

export interface TaskServer {
  /** Address for tasks, such as `http://127.0.0.1:8080/v1`. WebSockets use the same address with `ws:`. */
  readonly url: string;
  /** Stops listening, aborts running tasks and ends all connections. */
  close(): Promise<void>;
}

const TASK_PATH = "/v1";

/**
 * Answers the API over HTTP and WebSocket.
 *
 * @throws KleinbildError `invalid-request` if the options would admit everyone; the error of `listen`
 */
export async function startServer(options: ServerOptions): Promise<TaskServer> {
  const { host = "127.0.0.1", port = 8080, maxBodyBytes = MAX_REQUEST_BYTES } = options;
  assertServable({ ...options, host });
  const { app, sockets, nodeSocket } = createApp(host, maxBodyBytes, options);
  const server = createAdaptorServer({ fetch: app.fetch, createServer, overrideGlobalObjects: false }) as Server;
  attachSockets(server, nodeSocket, maxBodyBytes);
  server.listen(port, host);
  await once(server, "listening");
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${inUrl(host)}:${actual}${TASK_PATH}`,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      sockets.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** @throws KleinbildError `invalid-request` if the options would admit everyone */
export function assertServable({
  host = "127.0.0.1",
  apiKey,
  allowOrigins = [],
}: Pick<ServerOptions, "host" | "apiKey" | "allowOrigins">): void {
  if (apiKey === "") throw refused("apiKey", "The API key is empty.");
  if (apiKey !== undefined) return;
  if (!isLoopback(host))
    throw refused(
      "host",
      `${host === "" ? "Every address" : host} is open to other machines, so an API key is needed: --api-key or KLEINBILD_API_KEY. Without a key, listen on 127.0.0.1.`,
    );
  if (allowOrigins.includes("*"))
    throw refused("allowOrigins", "All origins (*) need an API key. Without a key, list the origins instead of *.");
}

function refused(parameter: string, message: string): KleinbildError {
  return new KleinbildError("invalid-request", message, { parameter });
}

function createApp(host: string, maxBodyBytes: number, options: ServerOptions) {
  const { runner, media, apiKey, allowOrigins = [] } = options;
  const app = new Hono();
  const nodeSocket = createNodeWebSocket({ app });
  const sockets = new TaskSockets({ runner, apiKey, maxMessageBytes: maxBodyBytes });
  const handler = createFetchHandler(runner, { path: TASK_PATH, apiKey, maxBodyBytes, media });
  app.use(checkHost(hostNames(host, options.hostNames)), checkOrigin(allowOrigins), answerCors(allowOrigins));
  app.get(
    TASK_PATH,
    nodeSocket.upgradeWebSocket((context) => sockets.accept(context), { onError: () => {} }),
  );
  app.all("*", ({ req }) => handler(req.raw));
  app.onError(() => refusal(503, "aborted", "The request was aborted.")); // the handler rejects for nothing else
  return { app, sockets, nodeSocket };
}
