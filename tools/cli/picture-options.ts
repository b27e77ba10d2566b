import { Option } from "commander";
import { choice, existingFiles, finiteNumber, scheduler, seed, wholeNumber } from "../option-values.ts";
import type { SchedulerName } from "../../runtime/node.ts";
import { type ModelFiles, modelFileOption } from "./model-argument.ts";

/** Options of one picture. A task file has them in its tasks. */
export interface PictureOptions {
  readonly prompt: string;
  readonly negativePrompt?: string;
  readonly reference: readonly string[];
  readonly referenceMode?: "exact" | "recompute" | "step-one";
  readonly width?: number;
  readonly height?: number;
  readonly steps?: number;
  readonly scheduler?: SchedulerName;
  readonly seed?: string;
  readonly guidance?: number;
  readonly noise?: "counter" | "torch";
  readonly modelFile?: ModelFiles;
}

/** New options, which the caller may change. */
export function pictureOptions(): readonly Option[] {
  const pixels = wholeNumber();
  return [
    new Option("--prompt <text>", "what the picture shows, or what to change in the references"),
    new Option("--negative-prompt <text>", "what the picture must not show; needs guidance above 1"),
    new Option("--reference <files...>", "up to four pictures to edit or combine, in order")
      .argParser(existingFiles)
      .default([], "none"),
    choice("--reference-mode <mode>", "how references take part", ["exact", "recompute", "step-one"]),
    new Option(
      "--width <pixels>",
      "a multiple of 16 (default: the width of the first reference, or the model's)",
    ).argParser(pixels),
    new Option("--height <pixels>", "a multiple of 16").argParser(pixels),
    new Option("--steps <number>", "denoising steps (default: the model's)").argParser(wholeNumber()),
    new Option("--scheduler <name>", "one of the schedulers in docs/schedulers.md").argParser(scheduler),
    new Option("--seed <number>", "0 to 2^63 - 1 (default: random)").argParser(seed),
    new Option("--guidance <number>", "classifier-free guidance; 1 turns it off (default: the model's)").argParser(
      finiteNumber,
    ),
    choice("--noise <kind>", "noise of a seed: our generator, or PyTorch's", ["counter", "torch"]),
    modelFileOption(),
  ];
}
