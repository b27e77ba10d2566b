import { readFile, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import {
  createKleinbild,
  type GenerateRequest,
  type ImageType,
  type Kleinbild,
  KleinbildError,
  type RunReport,
} from "../../runtime/node.ts";
import { addEngineOptions, type EngineChoice, engineOptions } from "../engine-choice.ts";
import { EXIT_STATUS } from "../exit-status.ts";
import { interruptSignal } from "./interrupt.ts";
import { MODEL_HELP, modelLocation } from "./model-argument.ts";
import { type PictureOptions, pictureOptions } from "./picture-options.ts";
import { ProgressBar } from "./progress-bar.ts";

interface GenerateOptions extends PictureOptions, EngineChoice {
  readonly model?: string;
  readonly out: string;
  readonly json: boolean;
}

/** What `--json` prints. */
interface JsonResult {
  readonly out: string;
  readonly width: number;
  readonly height: number;
  readonly report: RunReport;
}

const TYPES: Readonly<Record<string, ImageType>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp",
};

/** `kleinbild generate`: one picture, from a prompt and up to four references. */
export function generateCommand(): Command {
  const command = new Command("generate")
    .description("Makes a picture from a prompt, or edits up to four pictures.")
    .allowExcessArguments(false);
  for (const option of pictureOptions()) command.addOption(option.makeOptionMandatory(option.long === "--prompt"));
  command
    .option("--model <model>", MODEL_HELP, modelLocation)
    .option(
      "--out <file>",
      `where to write the picture: ${Object.keys(TYPES).join(", ")}`,
      pictureFile,
      "kleinbild.png",
    )
    .option("--json", "print one JSON object on standard output, and nothing else", false);
  return addEngineOptions(command).action(async (options: GenerateOptions) => {
    if (options.model !== undefined && options.modelFile !== undefined)
      command.error("error: --model and --model-file both name the model; use one of them");
    process.exitCode = await generate(options);
  });
}

/** Returns the exit status. */
async function generate(options: GenerateOptions): Promise<number> {
  const signal = interruptSignal();
  const progress = new ProgressBar();
  try {
    const result = await makePicture(options, progress, signal);
    progress.stop();
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : describe(result));
    return EXIT_STATUS.success;
  } catch (error) {
    progress.stop();
    const known = error instanceof KleinbildError ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message}\n`);
    if (!known && !signal.aborted && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    const details = { code: known?.code, message, ...known?.details };
    if (options.json) process.stdout.write(`${JSON.stringify({ error: details })}\n`);
    if (signal.aborted) return EXIT_STATUS.failed;
    return known && known.code !== "invalid-request" ? EXIT_STATUS.failed : EXIT_STATUS.badArguments;
  }
}

async function makePicture(options: GenerateOptions, progress: ProgressBar, signal: AbortSignal): Promise<JsonResult> {
  const { out, model, modelFile } = options;
  const request = await readRequest(options);
  await using engine: Kleinbild = await createKleinbild({
    model: modelFile ?? model,
    ...engineOptions(options),
    warmUp: false, // it compiles more than one request needs
    signal,
    onProgress: (event) => progress.showLoading(event),
  });
  const generation = engine.generate(request, { signal });
  for await (const event of generation) progress.show(event);
  const { image, report } = await generation.result;
  const { bytes } = await image.encode({ type: TYPES[extname(out).toLowerCase()]! });
  await writeFile(out, bytes);
  return { out, width: image.width, height: image.height, report };
}

async function readRequest(options: GenerateOptions): Promise<GenerateRequest> {
  const { prompt, negativePrompt, reference, referenceMode, width, height } = options;
  const { steps, scheduler, seed, guidance, noise } = options;
  const references = await Promise.all(reference.map((file) => readFile(file)));
  const picture = { prompt, negativePrompt, references, referenceMode, width, height };
  return { ...picture, steps, scheduler, seed, guidance, noise, previews: false };
}

/** Checks that the picture's format can be read off the name. */
function pictureFile(out: string): string {
  if (extname(out).toLowerCase() in TYPES) return out;
  throw new InvalidArgumentError(`--out needs a name ending in ${Object.keys(TYPES).join(", ")}.`);
}

/** The result as text for people. */
function describe({ out, width, height, report }: JsonResult): string {
  const times = Object.entries(report.timings).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(2)} s`);
  const { adapter, memory } = report;
  const lines = [
    `${out}: ${width} x ${height}, seed ${report.seed}`,
    times.join(", "),
    `${report.model}, ${report.backend} ${report.dtype}, weights ${report.quantization}, on ${adapter.description || adapter.vendor}`,
    `peak GPU memory ${(memory.peakBytes / 1e6).toFixed(1)} MB`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
  ];
  return `${lines.join("\n")}\n`;
}
