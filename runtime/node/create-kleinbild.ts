import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { KleinbildError } from "../errors.ts";
import { NodeImageCodec } from "./sharp-image-codec.ts";
import { type CommonOptions, Kleinbild } from "../remote/kleinbild.ts";
import { nodeEngineHost, type NodeEngineOptions } from "./platform.ts";
import { processEndpoint } from "./process-endpoint.ts";
import { connectHost } from "../remote/comlink-port.ts";
import type { EngineWork } from "../remote/protocol.ts";

/** Options of an engine in Node. */
export interface KleinbildNodeOptions extends CommonOptions, NodeEngineOptions {}

/**
 * Flags that V8 takes only at its start, for onnxruntime's wasm: it shares memory without having threads, and optimising its
 * huge functions would keep a core busy for a minute, and the process open, for no gain: the work is on the GPU.
 */
export const V8_FLAGS = ["--single-threaded", "--liftoff-only"] as const;
const HOST = new URL("./host.ts", import.meta.url);

/**
 * Loads a model on Dawn, in a child process unless this process was started with `node --single-threaded`. Needs the
 * optional packages `webgpu` and `sharp`.
 *
 * ```ts
 * await using engine = await createKleinbild({ model: "./FLUX.2-klein-4B" });
 * const { image } = await engine.generate({ prompt: "a fox on a teal background", seed: 7 }).result;
 * const { bytes } = await image.encode({ type: "image/png" });
 * await writeFile("fox.png", bytes);
 * ```
 *
 * @throws KleinbildError `no-webgpu`, `missing-file`, `invalid-model`, `invalid-request` (for an option), `network`,
 * `damaged`, `storage-full`, `over-budget`, `out-of-memory` or `worker-died`, or the reason of `signal`
 */
export async function createKleinbild(options: KleinbildNodeOptions = {}): Promise<Kleinbild> {
  const { signal, onProgress, ...engineOptions } = options;
  const codec = new NodeImageCodec();
  const common = { signal, onProgress };
  if (isSingleThreaded()) {
    const { signal: died } = new AbortController(); // it never aborts
    return Kleinbild.open({ host: nodeEngineHost(), codec, died, close: () => {} }, engineOptions, common);
  }
  const child = fork(fileURLToPath(HOST), { execArgv: [...V8_FLAGS], serialization: "advanced" });
  const host = connectHost<EngineWork<NodeEngineOptions>>(processEndpoint(child));
  // a child that is closed has nothing to lose, and its wasm compiler would keep it running
  const close = (): void => void child.kill("SIGKILL");
  return Kleinbild.open({ host, codec, died: childDeath(child), close }, engineOptions, common);
}

function isSingleThreaded(): boolean {
  const flags = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(" ")];
  return flags.includes("--single-threaded");
}

/** Aborts when the process ends by itself, with a KleinbildError `worker-died` as its reason. */
function childDeath(child: ChildProcess): AbortSignal {
  const death = new AbortController();
  child.on("error", (cause) =>
    death.abort(new KleinbildError("worker-died", "The engine's process could not be started.", {}, { cause })),
  );
  child.on("exit", (code, signal) =>
    death.abort(new KleinbildError("worker-died", `The engine's process ended (${signal ?? `exit code ${code}`}).`)),
  );
  return death.signal;
}
