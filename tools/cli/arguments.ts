import { statSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { type ImageType, SCHEDULERS } from "../../runtime/node.ts";
import { addEngineOptions, ENGINE_OPTIONS, type EngineChoice } from "../engine-choice.ts";

/** A picture, by flags. */
export interface PictureOptions extends EngineChoice {
  readonly model?: string;
  readonly prompt: string;
  readonly negativePrompt?: string;
  readonly out: string;
  readonly reference: readonly string[];
  readonly referenceMode?: "exact" | "recompute" | "step-one";
  readonly width?: number;
  readonly height?: number;
  readonly steps?: number;
  readonly scheduler?: string;
  readonly seed?: string;
  readonly guidance?: number;
  readonly noise?: "counter" | "torch";
  /** Places of the model's files by their paths in it. */
  readonly modelFile?: Readonly<Record<string, string>>;
  readonly json: boolean;
}

/** Tasks of the API, from a file. */
export interface TaskFileOptions extends EngineChoice {
  readonly model?: string;
  readonly task: string;
  /** Folder for pictures of `outputType` URL. */
  readonly out: string;
  readonly lora: Readonly<Record<string, string>>;
  readonly json: boolean;
}

/** What the command line asks for. */
export type CliOptions = PictureOptions | TaskFileOptions;

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
      "Makes a picture from a prompt, edits up to four pictures, or runs tasks of the API. Without arguments, serves the demo page; with --serve, the API.",
    )
    .option("--prompt <text>", "what the picture shows, or what to change in the references")
    .option("--task <file>", "JSON of a task of the API, or of an array of tasks; see docs/task.md", existingFile)
    .option("--lora <id=file>", "what a task's lora.model stands for; repeatable", loraFile)
    .option("--negative-prompt <text>", "what guidance leads away from")
    .option("--out <file>", "where the picture goes: .png, .jpg or .webp; with --task a folder")
    .option("--reference <files...>", "pictures to edit or combine, in order", references, [])
    .addOption(choice("--reference-mode <mode>", "how references take part", ["exact", "recompute", "step-one"]))
    .option("--width <pixels>", "a multiple of 16 (default: the first reference's, or the model's)", wholeNumber)
    .option("--height <pixels>", "a multiple of 16", wholeNumber)
    .option("--steps <number>", "denoising steps (default: the model's)", wholeNumber)
    .addOption(choice("--scheduler <name>", "see docs/schedulers.md", Object.keys(SCHEDULERS)))
    .option("--seed <number>", "0 to 2^63 - 1 (default: a random one)", decimal)
    .option("--guidance <number>", "classifier-free guidance, 1: off (default: the model's)", finiteNumber)
    .addOption(choice("--noise <kind>", "what a seed means: ours, or PyTorch's numbers", ["counter", "torch"]))
    .option(
      "--model <model>",
      `${BUNDLED_MODELS.join(", ")}, a folder in diffusers layout, its http address, a file with all parts, or stored:id`,
      modelFolder,
    )
    .option(
      "--model-file <path=place>",
      "where a file of the model is, by its path in the model; repeatable",
      modelFile,
    )
    .option("--json", "one JSON object on standard output and nothing else", false)
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 1));
  addEngineOptions(command);
  const options = command.parse(argv, { from: "user" }).opts<Partial<PictureOptions & TaskFileOptions>>();
  if ((options.prompt === undefined) === (options.task === undefined))
    command.error("error: one of --prompt <text> and --task <file> is needed");
  if (options.task !== undefined) {
    const strange = Object.keys(options).find((name) => !TASK_FILE_OPTIONS.has(name) && isGiven(command, name));
    if (strange !== undefined) command.error(`error: with --task, ${strange} is said in the task`);
    return { out: "kleinbild-pictures", lora: {}, ...options } as TaskFileOptions;
  }
  if (options.lora !== undefined) command.error("error: --lora is for --task");
  if (options.model !== undefined && options.modelFile !== undefined)
    command.error("error: one of --model and --model-file names the model");
  const { out = "kleinbild.png" } = options;
  if (!(extname(out).toLowerCase() in TYPES))
    command.error(`error: --out needs a name ending in ${Object.keys(TYPES).join(", ")}; got ${out}`);
  return { ...options, out } as PictureOptions;
}

const TASK_FILE_OPTIONS = new Set<string>(["task", "out", "lora", "json", "model", ...ENGINE_OPTIONS]);

function isGiven(command: Command, name: string): boolean {
  return command.getOptionValueSource(name) === "cli";
}

/** The type that a file's name asks for. */
export function outType(file: string): ImageType {
  return TYPES[extname(file).toLowerCase()]!;
}

function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

function existingFile(file: string): string {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new InvalidArgumentError(`There is no file ${file}.`);
  return file;
}

function references(file: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, existingFile(file)];
}

function loraFile(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, id, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (id === undefined || file === undefined) throw new InvalidArgumentError("id=file was expected.");
  return { ...earlier, [id]: existingFile(file) };
}

function modelFile(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, path, place] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (path === undefined || place === undefined) throw new InvalidArgumentError("path=place was expected.");
  return { ...earlier, [path]: /^https?:/.test(place) ? place : existingFile(place) };
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

/** The folder of a bundled model's name, or the folder, file or address itself. @throws InvalidArgumentError when there is none */
export function modelFolder(model: string): string {
  if (/^(?:https?|stored):/.test(model)) return model;
  const folder = BUNDLED_MODELS.includes(model) ? fileURLToPath(new URL(`../models/${model}`, import.meta.url)) : model;
  const place = statSync(folder, { throwIfNoEntry: false });
  if (place?.isDirectory() || place?.isFile()) return folder;
  throw new InvalidArgumentError(
    `There is no folder or file ${model}; ${BUNDLED_MODELS.join(" and ")} come with the project.`,
  );
}
