import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { cors } from "hono/cors";

export interface StaticServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** A plain host of a folder's files, at a free port. @param options.cors  whether pages of other origins may read them */
export async function serveFolder(root: string, options: { readonly cors?: boolean } = {}): Promise<StaticServer> {
  const app = new Hono();
  if (options.cors) app.use(cors({ origin: "*", exposeHeaders: ["Content-Range"] }));
  app.use(serveStatic({ root }));
  const server = createAdaptorServer(app);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await once(server, "close");
    },
  };
}
