import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { choice, wholeNumber } from "../option-values.ts";
import { Engine } from "../../runtime/engine/engine.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { prepareModel } from "../../runtime/models/prepare-model.ts";
import { openNodeLocation, openNodeStore } from "../../runtime/node/location.ts";
import { planMemory } from "../../runtime/memory-plan/memory-planner.ts";
import type { DownloadReport } from "../../runtime/weights/store/download/remote-files.ts";
import { writeCheckpoint } from "../synthesize/checkpoint.ts";
import { KLEIN_4B, KLEIN_9B } from "../../bench/klein-configs.ts";
import { serveModel } from "../synthesize/model-server.ts";
import { type ChromiumOutcome, downloadInChromium } from "./in-chromium.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";

interface Options {
  readonly size: "4b" | "9b";
  readonly double?: number;
  readonly single?: number;
  readonly quantization: "q4" | "q8";
  readonly folder: string;
  readonly chromium?: boolean;
}

const REFERENCE_PIXELS = 64;
const WIDTH = 128;

/**
 * Downloads a model of full size from a local server into the store, quantizes it, and makes one step of an edit. Prints the
 * memory of each stage, the bytes on the wire, and the GPU's measured and planned peaks.
 */
await new Command("npm run full-size --")
  .addOption(choice("--size <size>", "size of klein", ["4b", "9b"]).default("4b"))
  .option("--double <number>", "double blocks (default: the model's)", wholeNumber(1))
  .option("--single <number>", "single blocks (default: the model's)", wholeNumber(1))
  .addOption(choice("--quantization <kind>", "quantization of block matrices", ["q4", "q8"]).default("q4"))
  .requiredOption("--folder <folder>", "for the store and the checkpoint, some 25 GB; writes a missing checkpoint")
  .option("--chromium", "only download and quantize, in a page of Chromium")
  .action(run)
  .parseAsync();
process.exit(0); // Dawn's instance, kept for the whole process, would hold it open

async function run(options: Options): Promise<void> {
  const { quantization, folder, chromium = false } = options;
  const config = configOf(options);
  const server = await serveModel(await checkpointIn(folder, config));
  const sentBytes = (): number => [...server.sentBytes.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (chromium) {
    const work = (): Promise<ChromiumOutcome> => downloadInChromium(server.url, quantization, folder);
    print("in Chromium", await timed("download and quantize", work));
    print("wire", { sentBytes: sentBytes() });
    await server.close();
    return;
  }
  const watch = new MemoryWatch();
  const reports: DownloadReport[] = [];
  const location = await openNodeLocation(server.url);
  const keeping = { quantization, keep: "always" } as const;
  const onReport = (report: DownloadReport): void => void reports.push(report);
  const source = await timed("download and quantize", () =>
    prepareModel(openNodeStore(join(folder, "store")), location, keeping, { onReport }),
  );
  print("wire", { sentBytes: sentBytes(), reports });
  print("memory of downloading and quantizing", watch.take());
  await server.close();
  await runEdit(config, source, quantization, watch);
  watch.stop();
}

function configOf({ size, double, single }: Options): ModelConfig {
  const base = size === "4b" ? KLEIN_4B : KLEIN_9B;
  const { doubleBlocks, singleBlocks } = base.transformer;
  const transformer = {
    ...base.transformer,
    doubleBlocks: double ?? doubleBlocks,
    singleBlocks: single ?? singleBlocks,
  };
  return { ...base, name: `synthetic-klein-${size}`, textLength: 64, transformer };
}

/** The folder of the checkpoint, which is written if it is missing. */
async function checkpointIn(folder: string, config: ModelConfig): Promise<string> {
  const checkpoint = join(folder, "checkpoint");
  if (existsSync(join(checkpoint, "tokenizer/tokenizer_config.json"))) return checkpoint;
  const parts = ["textEncoder", "transformer", "vae"] as const;
  await timed("checkpoint", () =>
    writeCheckpoint(checkpoint, { config, parts, type: "bf16", naming: "diffusers", shards: 2, seed: 1 }),
  );
  return checkpoint;
}

/** Loads the model, makes one step of an edit, and prints memory after each. */
async function runEdit(
  config: ModelConfig,
  source: ModelSource,
  quantization: Options["quantization"],
  watch: MemoryWatch,
): Promise<void> {
  const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec() };
  const engine = await timed("load", () => Engine.create(platform, source, { quantization, dtype: "f32" }));
  print("memory of loading", watch.take());
  const size = { width: REFERENCE_PIXELS, height: REFERENCE_PIXELS };
  const references = [{ ...size, data: new Uint8ClampedArray(REFERENCE_PIXELS ** 2 * 4).fill(128) }];
  const request = { prompt: "a fox", width: WIDTH, height: WIDTH, steps: 1, seed: 7, references, previews: false };
  await timed("one step", async () => {
    for await (const event of engine.generate(request))
      if (event.type === "result") print("timings", event.report.timings);
  });
  print("memory of the run", watch.take());
  const { memory, adapter } = engine.info;
  const plan = await planMemory(config, {
    scalar: "f32",
    quantization,
    backends: engine.model.backends,
    maxBindingBytes: adapter.maxBindingBytes,
    request: { width: WIDTH, height: WIDTH, references: [size], evaluations: 1, previews: false },
  });
  print("GPU bytes", { measuredPeak: memory.peakBytes, plannedPeak: plan.peakBytes, weights: plan.weights });
  await engine.dispose();
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  print(what, `${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

function print(what: string, value: unknown): void {
  process.stdout.write(`${what}: ${typeof value === "string" ? value : JSON.stringify(value)}\n`);
}
