import { Command, InvalidArgumentError, Option } from "commander";
import { addEngineOptions, type EngineChoice } from "../engine-choice.ts";

/** Options of the server. */
export interface ServeArguments extends EngineChoice {
  readonly port: number;
  readonly host: string;
  readonly apiKey?: string;
  readonly allowOrigin: readonly string[];
  readonly publicUrl?: string;
  readonly allowPrivateReferences: boolean;
  readonly model?: string;
}

/** `kleinbild serve`, without its action. */
export function serveArguments(): Command {
  const command = new Command("serve")
    .description("Answers the imageInference API over HTTP and WebSocket at /v1. See docs/server.md.")
    .option("--port <number>", "0 takes any free port", portNumber, 8080)
    .option(
      "--host <address>",
      "where to listen; needs a key unless it is a loopback address",
      hostAddress,
      "127.0.0.1",
    )
    .addOption(new Option("--api-key <key>", "key of the clients").env("KLEINBILD_API_KEY").argParser(nonEmpty))
    .option(
      "--allow-origin <origins...>",
      "origins of pages that may send requests, such as https://example.com; * allows all and needs a key",
      origins,
      [],
    )
    .option("--public-url <url>", "address of /v1 for clients, behind a proxy or on a wildcard address", publicUrl)
    .option("--allow-private-references", "also fetch from and deliver to private networks", false)
    .option("--model <model>", "answers for every model id: a name, a folder in diffusers layout, or its http address")
    .allowExcessArguments(false);
  return addEngineOptions(command);
}

function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 2 ** 16) return Number(text);
  throw new InvalidArgumentError("A whole number of 0 to 65535 was expected.");
}

function hostAddress(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (/^[\w.:-]+$/.test(host)) return host;
  throw new InvalidArgumentError("An address or a name was expected, without a port.");
}

function nonEmpty(text: string): string {
  if (text !== "" && !/\s/.test(text)) return text;
  throw new InvalidArgumentError("A key without spaces was expected.");
}

function origins(text: string, earlier: readonly string[]): readonly string[] {
  if (text === "*" || (URL.canParse(text) && new URL(text).origin === text)) return [...earlier, text];
  throw new InvalidArgumentError("An origin such as https://example.com was expected, without a path.");
}

function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  if (isPlain && url.pathname.endsWith("/v1")) return text;
  throw new InvalidArgumentError("An http address ending in /v1 was expected.");
}
