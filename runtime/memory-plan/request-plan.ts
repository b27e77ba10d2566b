import { BYTES_PER_ELEMENT, type ScalarType } from "../gpu/tensor.ts";
import type { LoraUse, PipelineRequest } from "../pipeline/pipeline-request.ts";
import type { Evaluation } from "../sampling/solvers/program.ts";
import { splitBlocks } from "../transformer/step-cache.ts";
import type { PlannedRequest } from "./planned-request.ts";

type Wanted = Omit<PipelineRequest, "prompt" | "negativePrompt" | "noises" | "onLatents" | "loras">;

/** What the memory of a run depends on. */
export function planRequest(
  { width, height, references, referenceMode, guidance, previews, program, stepCache }: Wanted,
  { pictures, blocks, scalar, loras }: RunShape,
): PlannedRequest {
  return {
    width,
    height,
    references: references.map((reference) => ({ width: reference.width, height: reference.height })),
    referenceMode,
    guidance: guidance !== null,
    previews,
    pictures,
    evaluations: program.length,
    solverRegisters: solverRegisters(program),
    stepCache: !stepCache ? "none" : splitBlocks(stepCache, blocks).last < blocks ? "all" : "target",
    weightVariants: loras.length,
    loraBytes: loras.flat().reduce((sum, lora) => sum + loraBytes(lora, scalar), 0),
    loraRank: Math.max(...loras.map(rankOf)),
  };
}

export interface RunShape {
  readonly pictures: number;
  /** Blocks of the transformer. */
  readonly blocks: number;
  readonly scalar: ScalarType;
  /** The LoRAs of each set of weights. */
  readonly loras: readonly (readonly LoraUse[])[];
}

/** How many matrices as large as the latents the solver holds at once at most, without x and the velocity. */
export function solverRegisters(program: readonly Evaluation[]): number {
  const assignments = program.flatMap((evaluation) => evaluation.assignments);
  const lastUse = new Map<string, number>();
  for (const [i, { target, terms }] of assignments.entries())
    for (const register of [target, ...terms.map((term) => term.register)]) lastUse.set(register, i);
  const held = new Set<string>();
  let most = 0;
  for (const [i, { target, terms }] of assignments.entries()) {
    for (const register of [target, ...terms.map((term) => term.register)])
      if (register !== "x" && register !== "velocity") held.add(register);
    const scalesAlone = terms.length === 1 && terms[0]!.factor !== 1; // needs a copy
    most = Math.max(most, held.size + (scalesAlone ? 1 : 0));
    for (const register of [...held]) if (lastUse.get(register) === i) held.delete(register);
  }
  return most;
}

/** At most: a layer may be part of several matrices, each with both factors. */
function loraBytes({ file, weight }: LoraUse, scalar: ScalarType): number {
  if (weight === 0) return 0;
  return file.modules.reduce((sum, { down, up, target, rank }) => {
    const [columns, rows] = [down.shape[1]!, up.shape[0]!];
    return sum + rank * (columns * target.length + 2 * rows) * BYTES_PER_ELEMENT[scalar];
  }, 0);
}

function rankOf(loras: readonly LoraUse[]): number {
  return loras.reduce((sum, { file }) => sum + Math.max(...file.modules.map(({ rank }) => rank)), 0);
}
