import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { pipeline } from "node:stream/promises";

export interface ModelServer {
  readonly url: string;
  /** Sent bytes of bodies, by path. */
  readonly sentBytes: Map<string, number>;
  /** Awaited in the middle of each body of at least two megabytes. */
  pause: (() => Promise<void>) | undefined;
  close(): Promise<void>;
}

/** Serves the folder of a model to any origin, with ranges and ETags, and counts the sent bytes. */
export async function serveModel(folder: string): Promise<ModelServer> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const state: ModelServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sentBytes: new Map(),
    pause: undefined,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function answer({ url = "/", headers, method }: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "range, if-range");
    response.setHeader("access-control-expose-headers", "content-range, content-length, etag, accept-ranges");
    if (method === "OPTIONS") return void response.writeHead(204).end();
    const path = normalize(decodeURIComponent(new URL(url, "http://server").pathname)).slice(1);
    const file = join(folder, path);
    const stats = await stat(file).catch(() => undefined);
    if (!stats?.isFile()) return void response.writeHead(404).end();
    const etag = `"${createHash("sha256").update(`${path} ${stats.size} ${stats.mtimeMs}`).digest("hex").slice(0, 16)}"`;
    const asked = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "");
    const partial = asked !== null && (headers["if-range"] ?? etag) === etag;
    const from = partial ? Number(asked[1]) : 0;
    const to = partial ? Math.min(Number(asked[2]) + 1, stats.size) : stats.size;
    if (partial && from >= stats.size) return void response.writeHead(416, { etag }).end();
    response.writeHead(partial ? 206 : 200, {
      etag,
      "accept-ranges": "bytes",
      "content-length": to - from,
      ...(partial ? { "content-range": `bytes ${from}-${to - 1}/${stats.size}` } : {}),
    });
    const count = (bytes: number): void => void state.sentBytes.set(path, (state.sentBytes.get(path) ?? 0) + bytes);
    if (to === from) response.end();
    else if (to - from < 2 << 20) {
      count(to - from);
      createReadStream(file, { start: from, end: to - 1 }).pipe(response);
    } else {
      const middle = from + Math.floor((to - from) / 2);
      await pipeline(createReadStream(file, { start: from, end: middle - 1 }), response, { end: false });
      count(middle - from);
      await state.pause?.();
      if (response.destroyed) return;
      count(to - middle);
      createReadStream(file, { start: middle, end: to - 1 }).pipe(response);
    }
  }
  return state;
}
