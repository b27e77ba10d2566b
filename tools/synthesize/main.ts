import { Command } from "commander";
import { choice, wholeNumber } from "../option-values.ts";
import type { WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { ENCODINGS } from "./encodings.ts";
import { KLEIN_4B, KLEIN_4B_SMALL_DECODER, KLEIN_9B } from "../../bench/klein-configs.ts";

interface Options {
  readonly size: "4b" | "4b-small-decoder" | "9b";
  readonly parts: readonly WeightPart[];
  readonly type: string;
  readonly naming: "diffusers" | "bfl";
  readonly double?: number;
  readonly single?: number;
  readonly textLength?: number;
  readonly shards: number;
  readonly seed: number;
  readonly out: string;
}

const CONFIGS = { "4b": KLEIN_4B, "4b-small-decoder": KLEIN_4B_SMALL_DECODER, "9b": KLEIN_9B };
const PARTS = ["textEncoder", "transformer", "vae"];

await new Command("npm run synthesize --")
  .description("Writes a checkpoint of klein's true shapes with seeded values, to try loading at full size.")
  .addOption(choice("--size <size>", "which klein", Object.keys(CONFIGS)).default("4b"))
  .addOption(choice("--parts <parts...>", "which parts", PARTS).default(PARTS))
  .addOption(choice("--type <type>", "of block matrices", Object.keys(ENCODINGS)).default("bf16"))
  .addOption(choice("--naming <naming>", "of the tensors", ["diffusers", "bfl"]).default("diffusers"))
  .option("--double <number>", "double blocks (default: the model's)", wholeNumber(1))
  .option("--single <number>", "single blocks (default: the model's)", wholeNumber(1))
  .option("--text-length <tokens>", "tokens of a prompt (default: 512)", wholeNumber(1))
  .option("--shards <number>", "files of each part", wholeNumber(1), 1)
  .option("--seed <number>", "another seed, other values", wholeNumber(1), 1)
  .requiredOption("--out <folder>", "where it goes")
  .action(async ({ size, out, double, single, textLength, ...options }: Options) => {
    const base: ModelConfig = CONFIGS[size];
    const config: ModelConfig = {
      ...base,
      name: `synthetic-klein-${size}`,
      textLength: textLength ?? base.textLength,
      transformer: {
        ...base.transformer,
        doubleBlocks: double ?? base.transformer.doubleBlocks,
        singleBlocks: single ?? base.transformer.singleBlocks,
      },
    };
    const started = performance.now();
    const written = await writeCheckpoint(out, { ...options, config });
    const bytes = Object.values(written).reduce((sum, each) => sum + each, 0);
    const seconds = (performance.now() - started) / 1000;
    for (const [path, size] of Object.entries(written)) process.stdout.write(`${path} ${size}\n`);
    process.stdout.write(`${bytes} bytes in ${seconds.toFixed(1)} s, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s\n`);
  })
  .parseAsync();
