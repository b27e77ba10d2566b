import { type Command, InvalidArgumentError, Option } from "commander";
import type { KleinbildNodeOptions } from "../runtime/node.ts";

/** How the engine computes and what it may take, as command lines say it. */
export interface EngineChoice {
  readonly backend?: "auto" | "ort" | "wgsl";
  readonly dtype?: "f32" | "f16";
  readonly quantization?: "none" | "q8" | "q4";
  readonly keep?: "auto" | "always" | "never";
  readonly memoryBudget?: number;
}

/** Names of the options, as commander has them. */
export const ENGINE_OPTIONS = [
  "backend",
  "dtype",
  "quantization",
  "keep",
  "memoryBudget",
] as const satisfies readonly (keyof EngineChoice)[];

export function addEngineOptions(command: Command): Command {
  const choice = (flags: string, description: string, values: readonly string[]): Option =>
    new Option(flags, description).choices(values);
  return command
    .addOption(choice("--backend <name>", "dense backend (default: auto)", ["auto", "ort", "wgsl"]))
    .addOption(choice("--dtype <type>", "scalar type (default: f16 where the GPU has it)", ["f32", "f16"]))
    .addOption(
      choice("--quantization <kind>", "weights of the blocks (default: as the files are)", ["none", "q8", "q4"]),
    )
    .addOption(choice("--keep <when>", "whether downloads are kept (default: auto)", ["auto", "always", "never"]))
    .option("--memory-budget <bytes>", "most bytes on the GPU at once (default: no limit)", bytes);
}

/** What the package is told. */
export function engineOptions({
  backend,
  dtype,
  quantization,
  keep,
  memoryBudget,
}: EngineChoice): Pick<KleinbildNodeOptions, "backend" | "dtype" | "quantization" | "keep" | "memoryBudgetBytes"> {
  return { backend, dtype, quantization, keep, memoryBudgetBytes: memoryBudget };
}

function bytes(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("A whole number of bytes was expected.");
  return Number(text);
}
