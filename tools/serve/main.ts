import { hostname } from "node:os";
import { KleinbildError } from "../../runtime/errors.ts";
import { isPublicIp } from "../../runtime/node/address-policy.ts";
import type { Fetch } from "../../runtime/task/net/limited-fetch.ts";
import type { MediaSource } from "../../runtime/task/serve/media-response.ts";
import type { MediaUrls } from "../../runtime/task/media/media-store.ts";
import { guardedFetch } from "../../runtime/node/guarded-fetch.ts";
import type { TaskRunner } from "../../runtime/task/runner/task-runner-types.ts";
import type { EngineChoice } from "../engine-choice.ts";
import { EXIT_STATUS } from "../exit-status.ts";
import type { ServeArguments } from "./arguments.ts";
import { hostName, isLoopback, isWildcard } from "./hosts.ts";
import { ServedUrls } from "./served-urls.ts";
import { assertServable, startServer, type TaskServer } from "./server.ts";

const ENDING = ["SIGINT", "SIGTERM"] as const;

/** What a task runner needs from the server. */
export interface RunnerContext {
  readonly model: ServeArguments["model"] | undefined;
  readonly engine: EngineChoice;
  /** Creates addresses of pictures on this server, for the runner's media store. */
  readonly urls: MediaUrls;
  /** Fetches references and sends webhooks and uploads. It connects only to addresses that clients may reach. */
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
}

export interface ServedRunner {
  readonly runner: TaskRunner;
  /** The pictures at the addresses that `urls` created. */
  readonly media?: MediaSource | undefined;
  dispose?(): Promise<void>;
}

export type MakeRunner = (context: RunnerContext) => Promise<ServedRunner>;

/**
 * Serves until SIGINT or SIGTERM, or until `signal` aborts.
 *
 * @returns the exit status: 0 after a signal, 1 if it could not listen, 2 if there is no runner
 */
export async function serve(
  options: ServeArguments,
  makeRunner: MakeRunner,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<number> {
  const stopping = new AbortController();
  const stop = stopping.signal;
  const end = (): void => stopping.abort(new DOMException("The server ends.", "AbortError"));
  // both a terminal and the parent process may send a signal
  for (const name of ENDING) process.on(name, end);
  signal?.addEventListener("abort", end);
  let server: TaskServer | undefined;
  const urls = new ServedUrls(() => publicUrl(options, server!.url));
  const context = { model: options.model, engine: options, urls, fetch: fetchFor(options), signal: stop };
  let made: ServedRunner | undefined;
  const { apiKey, host, port, allowOrigin: allowOrigins } = options;
  try {
    assertServable({ host, apiKey, allowOrigins }); // before a model is loaded
    made = await makeRunner(context);
    const names = options.publicUrl === undefined ? [] : [hostName(new URL(options.publicUrl).host)!];
    server = await startServer({ ...made, apiKey, host, port, allowOrigins, hostNames: names });
    process.stderr.write(`Listening on ${publicUrl(options, server.url)} (WebSocket at the same path).\n`);
    await aborted(stop);
    return EXIT_STATUS.success;
  } catch (error) {
    if (stop.aborted) return EXIT_STATUS.success;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return made || isInvalidRequest(error) ? EXIT_STATUS.badArguments : EXIT_STATUS.failed;
  } finally {
    await server?.close();
    await made?.dispose?.();
    for (const name of ENDING) process.off(name, end);
    signal?.removeEventListener("abort", end);
  }
}

/** The address for clients: `--public-url`, or the machine's name if the server listens on every address. */
function publicUrl({ publicUrl: named, host }: ServeArguments, listening: string): string {
  if (named !== undefined) return named;
  if (!isWildcard(host)) return listening;
  const url = new URL(listening);
  url.hostname = hostname();
  return url.href;
}

/** A server on a loopback address may connect to its own machine. A server that other machines reach may not. */
function fetchFor({ host, allowPrivateReferences }: ServeArguments): Fetch {
  const allowIp = (ip: string): boolean =>
    allowPrivateReferences || isPublicIp(ip) || (isLoopback(host) && isLoopback(ip));
  return guardedFetch({ allowIp });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

function isInvalidRequest(error: unknown): boolean {
  return error instanceof KleinbildError && error.code === "invalid-request";
}
