import type { WeightPart } from "../weights/inventory.ts";
import { PART_OF_STAGE, type Residency, type Stage, STAGES } from "../pipeline/stages.ts";
import type { StageMemory } from "./run-stages.ts";
import type { PartWeights } from "./weight-bytes.ts";

/** Stages between two uses of a part, in the order of runs that follow one another. */
interface Gap {
  readonly part: WeightPart;
  readonly stages: readonly Stage[];
}

const PARTS = ["textEncoder", "transformer", "vae"] as const satisfies readonly WeightPart[];

/**
 * Which parts stay from one of their stages to the next: as many bytes of weights as possible, since what does not stay is
 * loaded again. A stage without work (`encode` of no picture) needs no part.
 *
 * @returns undefined when a stage does not even fit with the one part that it needs
 */
export function chooseResidency(
  weights: PartWeights,
  stages: readonly StageMemory[],
  budgetBytes: number,
  idle: ReadonlySet<Stage>,
): Residency | undefined {
  const free = Object.fromEntries(stages.map(({ stage, bytes }) => [stage, budgetBytes - bytes]));
  const least = leastResidency(idle);
  const gaps = PARTS.flatMap((part) =>
    gapsOf(
      part,
      STAGES.filter((stage) => least[stage].includes(part)),
    ),
  );
  let best: { readonly kept: number; readonly residency: Residency } | undefined;
  for (let choice = 0; choice < 2 ** gaps.length; choice++) {
    const chosen = gaps.filter((_, i) => (choice >> i) & 1);
    const resident = (stage: Stage): readonly WeightPart[] =>
      PARTS.filter(
        (part) => least[stage].includes(part) || chosen.some((gap) => gap.part === part && gap.stages.includes(stage)),
      );
    const fits = STAGES.every((stage) => sum(weights, resident(stage)) <= free[stage]!);
    const kept = chosen.reduce((bytes, { part }) => bytes + weights[part], 0);
    if (!fits || (best && best.kept >= kept)) continue;
    best = { kept, residency: record(resident) };
  }
  return best?.residency;
}

/** Bytes that each of several runs in a row loads again. */
export function reloadedBytes(weights: PartWeights, residency: Residency, idle: ReadonlySet<Stage>): number {
  const least = leastResidency(idle);
  let bytes = 0;
  for (const [i, stage] of STAGES.entries()) {
    const before = residency[STAGES.at(i - 1)!];
    bytes += sum(
      weights,
      least[stage].filter((part) => !before.includes(part)),
    );
  }
  return bytes;
}

/** In each stage the part that it works with, and no other. */
export function leastResidency(idle: ReadonlySet<Stage>): Residency {
  return record((stage) => (idle.has(stage) ? [] : [PART_OF_STAGE[stage]]));
}

export function sum(weights: PartWeights, parts: readonly WeightPart[]): number {
  return parts.reduce((bytes, part) => bytes + weights[part], 0);
}

/** The runs of stages between two uses, around the end of a run too. */
function gapsOf(part: WeightPart, uses: readonly Stage[]): readonly Gap[] {
  return uses.flatMap((use, i): readonly Gap[] => {
    const next = uses[(i + 1) % uses.length]!;
    const stages: Stage[] = [];
    for (let at = STAGES.indexOf(use) + 1; STAGES[at % STAGES.length] !== next; at++)
      stages.push(STAGES[at % STAGES.length]!);
    return stages.length > 0 ? [{ part, stages }] : [];
  });
}

function record(resident: (stage: Stage) => readonly WeightPart[]): Residency {
  return {
    prompt: resident("prompt"),
    encode: resident("encode"),
    references: resident("references"),
    steps: resident("steps"),
    decode: resident("decode"),
  };
}
