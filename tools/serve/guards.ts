import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { refusal } from "../../runtime/task/serve/api-response.ts";
import { hostName } from "./hosts.ts";

/** Refuses requests that call the server by a name that is not its own. */
export function checkHost(names: ReadonlySet<string>): MiddlewareHandler {
  return async (context, next) => {
    const name = hostName(context.req.header("host"));
    if (name !== undefined && names.has(name)) return next();
    return refusal(403, "forbiddenHost", `This server is called ${[...names].join(", ")}.`);
  };
}

/** Tells which pages may ask: none but the server's own and those of `allowed`. `*` is everyone. */
function isAllowedOrigin(origin: string, host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes("*") || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** Refuses requests of pages that may not ask, WebSockets among them, which browsers open without asking first. */
export function checkOrigin(allowed: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const origin = context.req.header("origin");
    if (origin === undefined || isAllowedOrigin(origin, context.req.header("host"), allowed)) {
      // Chrome asks before a public page reaches a private network
      if (context.req.header("access-control-request-private-network") === "true")
        context.header("access-control-allow-private-network", "true");
      return next();
    }
    const message = `Pages of ${origin.slice(0, 200)} may not ask this server; --allow-origin lets them.`;
    return refusal(403, "forbiddenOrigin", message);
  };
}

/** Tells browsers what `checkOrigin` lets through. Keys come in a header that pages set, so no credentials are allowed. */
export function answerCors(allowed: readonly string[]): MiddlewareHandler {
  return cors({
    origin: (origin, context) => (isAllowedOrigin(origin, context.req.header("host"), allowed) ? origin : null),
    allowMethods: ["POST", "GET", "HEAD"],
    allowHeaders: ["Authorization", "Content-Type"],
    maxAge: 600,
  });
}
