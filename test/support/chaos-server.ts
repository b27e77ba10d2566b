import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a server misbehaves. Default: not at all. */
export interface Chaos {
  /** Breaks each connection after this many bytes of the body. */
  cutAfter?: (request: number) => number | undefined;
  /** Stalls each connection after this many bytes of the body. */
  stallAfter?: (request: number) => number | undefined;
  /** Answers with this status instead. */
  status?: (request: number) => number | undefined;
  ignoresRanges?: boolean;
  /** The bytes and the ETag of the file from this request on. */
  file?: (request: number) => { readonly bytes: Uint8Array; readonly etag: string | undefined };
  /** Changes a body's bytes on their way. */
  distort?: (body: Uint8Array, from: number, request: number) => Uint8Array;
}

export interface ChaosServer {
  readonly url: string;
  /** Bytes of bodies that were sent. */
  sentBytes: number;
  readonly requests: { readonly range: string | undefined; readonly ifRange: string | undefined }[];
  chaos: Chaos;
  close(): Promise<void>;
}

/** Serves one file, at every path, with ranges, ETag and If-Range as a good server does, but for `chaos`. */
export async function chaosServer(bytes: Uint8Array, chaos: Chaos = {}): Promise<ChaosServer> {
  const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`;
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const state: ChaosServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`,
    sentBytes: 0,
    requests: [],
    chaos,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const number = state.requests.length;
    const { range, "if-range": ifRange } = request.headers as Record<string, string | undefined>;
    state.requests.push({ range, ifRange });
    const status = state.chaos.status?.(number);
    if (status !== undefined) return void response.writeHead(status).end();
    const now = state.chaos.file?.(number) ?? { bytes, etag };
    const headers = { "accept-ranges": "bytes", ...(now.etag === undefined ? {} : { etag: now.etag }) };
    const asked = /^bytes=(\d+)-(\d+)$/.exec(range ?? "");
    const conditionHolds = ifRange === undefined || ifRange === now.etag;
    const partial = asked !== null && conditionHolds && !state.chaos.ignoresRanges;
    const from = partial ? Number(asked[1]) : 0;
    const to = partial ? Math.min(Number(asked[2]) + 1, now.bytes.length) : now.bytes.length;
    if (partial && from >= now.bytes.length) return void response.writeHead(416, headers).end();
    const body = state.chaos.distort?.(now.bytes.slice(from, to), from, number) ?? now.bytes.subarray(from, to);
    response.writeHead(partial ? 206 : 200, {
      ...headers,
      "content-length": body.length,
      ...(partial ? { "content-range": `bytes ${from}-${to - 1}/${now.bytes.length}` } : {}),
    });
    const stall = state.chaos.stallAfter?.(number);
    if (stall !== undefined) {
      state.sentBytes += Math.min(stall, body.length);
      return void response.write(body.subarray(0, stall));
    }
    const cut = state.chaos.cutAfter?.(number);
    const sent = cut === undefined ? body : body.subarray(0, cut);
    state.sentBytes += sent.length;
    if (sent.length === body.length) response.end(body);
    else response.write(sent, () => response.destroy());
  }
  return state;
}
