import { statSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import type { ImageType } from "../../runtime/node.ts";

/** What the command line asks for. */
export interface CliOptions {
  readonly prompt: string;
  readonly negativePrompt?: string;
  readonly out: string;
  readonly reference: readonly string[];
  readonly referenceMode?: "exact" | "recompute" | "step-one";
  readonly width?: number;
  readonly height?: number;
  readonly steps?: number;
  readonly seed?: string;
  readonly guidance?: number;
  readonly noise?: "counter" | "torch";
  readonly model?: string;
  readonly backend: "ort";
  readonly dtype?: "f32" | "f16";
  readonly quantization?: "none" | "q8" | "q4";
  readonly json: boolean;
}

const TYPES: Readonly<Record<string, ImageType>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
};
const BUNDLED_MODELS = ["klein-nano", "klein-nano-base"];

/** Ends the process with a message and status 1 when an argument is wrong. */
export function parseArguments(argv: readonly string[]): CliOptions {
  const command = new Command("npm start --")
    .description(
      "Makes a picture from a prompt, or edits up to four pictures. Without arguments, serves the demo page.",
    )
    .requiredOption("--prompt <text>", "what the picture shows, or what to change in the references")
    .option("--negative-prompt <text>", "what guidance leads away from")
    .option("--out <file>", "where the picture goes: .png, .jpg or .webp", outFile, "kleinbild.png")
    .option("--reference <files...>", "pictures to edit or combine, in order", references, [])
    .addOption(choice("--reference-mode <mode>", "how references take part", ["exact", "recompute", "step-one"]))
    .option("--width <pixels>", "a multiple of 16 (default: the first reference's, or the model's)", wholeNumber)
    .option("--height <pixels>", "a multiple of 16", wholeNumber)
    .option("--steps <number>", "denoising steps (default: the model's)", wholeNumber)
    .option("--seed <number>", "0 to 2^63 - 1 (default: a random one)", decimal)
    .option("--guidance <number>", "classifier-free guidance, 1: off (default: the model's)", finiteNumber)
    .addOption(choice("--noise <kind>", "what a seed means: ours, or PyTorch's numbers", ["counter", "torch"]))
    .option(
      "--model <model>",
      `${BUNDLED_MODELS.join(", ")}, a folder in diffusers layout, or its http address`,
      modelFolder,
    )
    .addOption(choice("--backend <name>", "dense backend", ["ort"]).default("ort"))
    .addOption(choice("--dtype <type>", "scalar type (default: f16 where the GPU has it)", ["f32", "f16"]))
    .addOption(choice("--quantization <kind>", "weights of the blocks (default: none)", ["none", "q8", "q4"]))
    .option("--json", "one JSON object on standard output and nothing else", false)
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 1));
  return command.parse(argv, { from: "user" }).opts<CliOptions>();
}

/** The type that a file's name asks for. */
export function outType(file: string): ImageType {
  return TYPES[extname(file).toLowerCase()]!;
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

function outFile(file: string): string {
  if (extname(file).toLowerCase() in TYPES) return file;
  throw new InvalidArgumentError(`A name ending in ${Object.keys(TYPES).join(", ")} was expected.`);
}

function references(file: string, earlier: readonly string[]): readonly string[] {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new InvalidArgumentError(`There is no file ${file}.`);
  return [...earlier, file];
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("A whole number was expected.");
  return Number(text);
}

function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("A number was expected.");
  return value;
}

function decimal(text: string): string {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError("A whole number of 0 to 2^63 - 1 was expected.");
  return text;
}

function modelFolder(model: string): string {
  if (/^https?:/.test(model)) return model;
  const folder = BUNDLED_MODELS.includes(model) ? fileURLToPath(new URL(`../models/${model}`, import.meta.url)) : model;
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return folder;
  throw new InvalidArgumentError(`There is no folder ${model}; ${BUNDLED_MODELS.join(" and ")} come with the project.`);
}
