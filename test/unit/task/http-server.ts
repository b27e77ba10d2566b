import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export type Handler = (request: SeenRequest, response: ServerResponse) => void;

/** A server on the loopback address whose paths a test fills in; others are not found. */
export class TestServer implements AsyncDisposable {
  routes: Readonly<Record<string, Handler>> = {};
  seen: SeenRequest[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<TestServer> {
    const server = new TestServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const seen = {
      method: request.method!,
      url: request.url!,
      headers: request.headers,
      body: Buffer.concat(chunks),
    };
    this.seen.push(seen);
    (this.routes[seen.url.replace(/\?.*/, "")] ?? status(404))(seen, response);
  }
}

export const status =
  (code: number): Handler =>
  (_, response) =>
    void response.writeHead(code).end("no");

export const bytes =
  (body: Uint8Array | string): Handler =>
  (_, response) =>
    void response.writeHead(200, { "content-length": Buffer.byteLength(body) }).end(body);

/** Sends some of the announced bytes, or none, and then stalls. */
export const stall =
  (announced?: number): Handler =>
  (_, response) => {
    if (announced !== undefined) response.writeHead(200, { "content-length": announced }).write("a");
  };

/** Ends the connection before all announced bytes are sent. */
export const cut =
  (announced: number): Handler =>
  (_, response) => {
    response.writeHead(200, { "content-length": announced });
    response.write("abc", () => response.destroy());
  };

export const redirect =
  (location: string, code = 302): Handler =>
  (_, response) =>
    void response.writeHead(code, { location }).end();

/** Each request gets the next handler, the last one stays. */
export function inTurn(...handlers: readonly Handler[]): Handler {
  let turn = 0;
  return (request, response) => handlers[Math.min(turn++, handlers.length - 1)]!(request, response);
}
