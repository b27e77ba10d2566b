import type { WeightPart } from "../weights/inventory.ts";
import { PART_OF_STAGE, type Residency, type Stage, STAGES } from "../pipeline/stages.ts";
import type { PartWeights, StageMemory } from "./stage-meter.ts";

/** The stages between two uses of a part; after the last stage of a run comes the first of the next run. */
interface Gap {
  readonly part: WeightPart;
  readonly stages: readonly Stage[];
}

const PARTS = ["textEncoder", "transformer", "vae"] as const satisfies readonly WeightPart[];

/**
 * Chooses the parts that stay from one of their stages to the next: as many bytes of weights as possible, because other
 * parts are loaded again.
 *
 * @param idle  stages without work, which need no part
 * @returns     undefined when a stage does not fit even with only the part that it needs
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
  let best: { readonly savedBytes: number; readonly residency: Residency } | undefined;
  for (let choice = 0; choice < 2 ** gaps.length; choice++) {
    const chosen = gaps.filter((_, i) => (choice >> i) & 1);
    const resident = (stage: Stage): readonly WeightPart[] =>
      PARTS.filter(
        (part) => least[stage].includes(part) || chosen.some((gap) => gap.part === part && gap.stages.includes(stage)),
      );
    const fits = STAGES.every((stage) => sum(weights, resident(stage)) <= free[stage]!);
    const savedBytes = chosen.reduce((bytes, { part }) => bytes + weights[part], 0);
    if (!fits || (best && best.savedBytes >= savedBytes)) continue;
    best = { savedBytes, residency: record(resident) };
  }
  return best?.residency;
}

/** Bytes of weights that each of several runs in a row loads again. */
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

/** Each stage with only the part that it works with. */
export function leastResidency(idle: ReadonlySet<Stage>): Residency {
  return record((stage) => (idle.has(stage) ? [] : [PART_OF_STAGE[stage]]));
}

export function sum(weights: PartWeights, parts: readonly WeightPart[]): number {
  return parts.reduce((bytes, part) => bytes + weights[part], 0);
}

/** The gaps between the uses of a part, with the one from the end of a run to the start of the next. */
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
