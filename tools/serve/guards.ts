import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { refusal } from "../../runtime/task/serve/api-response.ts";
import { hostName } from "./hosts.ts";

/** Refuses requests whose Host header is not a name of this server. */
export function checkHost(names: ReadonlySet<string>): MiddlewareHandler {
  return async (context, next) => {
    const name = hostName(context.req.header("host"));
    if (name !== undefined && names.has(name)) return next();
    return refusal(403, "forbiddenHost", `The Host header must name this server: ${[...names].join(", ")}.`);
  };
}

/** Whether a page may send requests: a page of the server itself, or of an origin in `allowed`. `*` allows every page. */
function isAllowedOrigin(origin: string, host: string | undefined, allowed: readonly string[]): boolean {
  if (allowed.includes("*") || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}

/** Refuses requests of other pages, WebSockets included: browsers open them without a CORS request. */
export function checkOrigin(allowed: readonly string[]): MiddlewareHandler {
  return async (context, next) => {
    const origin = context.req.header("origin");
    if (origin === undefined || isAllowedOrigin(origin, context.req.header("host"), allowed)) {
      // Chrome sends this before a public page may reach a private network
      if (context.req.header("access-control-request-private-network") === "true")
        context.header("access-control-allow-private-network", "true");
      return next();
    }
    const message = `Pages of ${origin.slice(0, 200)} may not send requests to this server. --allow-origin allows them.`;
    return refusal(403, "forbiddenOrigin", message);
  };
}

/** Answers CORS requests as `checkOrigin` decides. Keys are in a header that pages set, so no credentials are allowed. */
export function answerCors(allowed: readonly string[]): MiddlewareHandler {
  return cors({
    origin: (origin, context) => (isAllowedOrigin(origin, context.req.header("host"), allowed) ? origin : null),
    allowMethods: ["POST", "GET", "HEAD"],
    allowHeaders: ["Authorization", "Content-Type"],
    maxAge: 600,
  });
}
