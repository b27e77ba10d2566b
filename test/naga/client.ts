import { fileURLToPath } from "node:url";
import { runDeno } from "../support/deno.ts";
import type { NagaReply, NagaRequest } from "./protocol.ts";

const SCRIPT = fileURLToPath(new URL("./deno.ts", import.meta.url));

/** Has Deno compile and run shaders. */
export async function askNaga(request: NagaRequest, deno?: string): Promise<NagaReply> {
  const run = { flags: ["--no-config"], input: JSON.stringify(request) };
  return JSON.parse(await runDeno(SCRIPT, run, deno)) as NagaReply;
}
