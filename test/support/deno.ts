import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { vulkanEnvironment } from "../../tools/environment.mjs";

const DENO = fileURLToPath(new URL("../../node_modules/.bin/deno", import.meta.url));
const FLAGS = ["run", "--unstable-webgpu", "--no-lock", "--cached-only", "--no-check"];

export interface DenoRun {
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly input?: string;
}

/** What a script prints in Deno, whose WebGPU is wgpu with naga. */
export async function runDeno(
  script: string,
  { flags = [], args = [], input = "" }: DenoRun,
  deno: string = DENO,
): Promise<string> {
  if (!existsSync(deno))
    throw new Error(`${deno} is missing: it compiles the kernels with naga, and comes with npm install.`);
  const child = spawn(deno, [...FLAGS, ...flags, script, ...args], {
    env: { ...process.env, ...vulkanEnvironment(), DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = collect(child.stdout);
  const errors = collect(child.stderr);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  child.stdin.on("error", () => undefined); // it ended before it had read all; its exit code and output tell
  child.stdin.end(input);
  const code = await ended;
  if (code !== 0) throw new Error(`deno ended with ${code}: ${await errors}`);
  return output;
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += String(chunk);
  return text;
}
