import type { Command } from "commander";
import type { KleinbildNodeOptions } from "../runtime/node.ts";
import { choice, wholeNumber } from "./option-values.ts";

/** Options of every command that computes pictures, under commander's names. */
export interface EngineChoice {
  readonly backend?: "auto" | "ort" | "wgsl";
  readonly dtype?: "f32" | "f16";
  readonly quantization?: "none" | "q8" | "q4";
  readonly keep?: "auto" | "always" | "never";
  readonly memoryBudget?: number;
}

export function addEngineOptions(command: Command): Command {
  return command
    .addOption(choice("--backend <name>", "backend for matrix products (default: auto)", ["auto", "ort", "wgsl"]))
    .addOption(choice("--dtype <type>", "scalar type (default: f16 where the GPU supports it)", ["f32", "f16"]))
    .addOption(choice("--quantization <kind>", "weights of the blocks (default: as stored)", ["none", "q8", "q4"]))
    .addOption(choice("--keep <when>", "when to store downloads (default: auto)", ["auto", "always", "never"]))
    .option("--memory-budget <bytes>", "limit on GPU memory (default: no limit)", wholeNumber());
}

/** The same options under the package's names. */
export function engineOptions({
  backend,
  dtype,
  quantization,
  keep,
  memoryBudget,
}: EngineChoice): Pick<KleinbildNodeOptions, "backend" | "dtype" | "quantization" | "keep" | "memoryBudgetBytes"> {
  return { backend, dtype, quantization, keep, memoryBudgetBytes: memoryBudget };
}
