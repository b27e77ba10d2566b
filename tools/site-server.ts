import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { cors } from "hono/cors";

const SITE = fileURLToPath(new URL("../site", import.meta.url));

export interface SiteServerOptions {
  /** Path of the files on the host, with a slash at both ends. */
  readonly base?: string;
  /** Headers of a file, by its path. */
  readonly headers?: (path: string) => Readonly<Record<string, string>>;
  /** Whether pages of other origins may read the files. */
  readonly cors?: boolean;
}

/** A static host. */
export interface SiteServer {
  /** Address of the folder, with a slash at its end. */
  readonly url: string;
  /** Requested paths, in order, from the host's root. */
  readonly requested: readonly string[];
  /** Violations of a policy that names `/policy-report` as its report-uri. */
  readonly violations: readonly string[];
  /** Files to serve instead of the files in the folder, by path: a newer version, for example. */
  readonly files: Map<string, string>;
  close(): Promise<void>;
}

/** Serves the built page. */
export function serveSite(options?: SiteServerOptions): Promise<SiteServer> {
  return serveFolder(SITE, options);
}

/** Serves a folder as a simple host does: whole files and ranges with their types, and only the given headers. */
export async function serveFolder(
  root: string,
  { base = "/", headers, cors: isShared = false }: SiteServerOptions = {},
): Promise<SiteServer> {
  const requested: string[] = [];
  const violations: string[] = [];
  const files = new Map<string, string>();
  const app = new Hono();
  app.post("/policy-report", async (context) => {
    violations.push(await context.req.text());
    return context.body(null, 204);
  });
  if (isShared) app.use(cors({ origin: "*", exposeHeaders: ["Content-Range"] }));
  app.use(`${base}*`, async (context, next) => {
    const { path } = context.req;
    requested.push(path);
    const file = path.slice(base.length) || "index.html";
    for (const [name, value] of Object.entries(headers?.(file) ?? {})) context.header(name, value);
    const text = files.get(file);
    if (text === undefined) return next();
    return context.body(text, 200, { "Content-Type": file.endsWith(".js") ? "text/javascript" : "text/html" });
  });
  app.use(`${base}*`, serveStatic({ root, rewriteRequestPath: (path) => `/${path.slice(base.length)}` }));
  const server = await new Promise<Server>((resolve) => {
    const started = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, () => resolve(started as Server));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${base}`,
    requested,
    violations,
    files,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
