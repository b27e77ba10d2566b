import type { BlockRow, BlocksReport } from "./blocks.ts";
import type { ReferenceBoundRow } from "./reference-bound.ts";
import { head, line, percent } from "./tables.ts";

export const REFERENCE_BOUND_HEAD = head(
  "references",
  "tokens (text + target + references)",
  "computed step, s",
  "kept step, s",
  "references pass, s",
  "step: times faster / bound",
  "first request / bound",
  "later request / bound",
);

export function referenceBoundLine({ references, tokens, seconds, measured, bound, share }: ReferenceBoundRow): string {
  const cells = (["step", "firstRequest", "laterRequest"] as const).map(
    (of) => `${measured[of].toFixed(2)} / ${bound[of].toFixed(2)} (${percent(share[of])})`,
  );
  const times = [seconds.computed, seconds.kept, seconds.pass].map((each) => each.toFixed(1));
  return line(references, `${tokens.text} + ${tokens.target} + ${tokens.references}`, ...times, ...cells);
}

export const BLOCK_HEAD = head(
  "model",
  "backend",
  "piece",
  "of them",
  "timed with",
  "weights of one, MB",
  "one, s",
  "GFLOP/s",
  "all at 512², s",
  "all at 1024², s",
);

export function blockLine(row: BlockRow): string {
  const { model, backend, component, count, measuredWith, weightBytes, seconds, gigaflops, whole } = row;
  const weights = (weightBytes / 1e6).toFixed(1);
  const all = [whole["512"], whole["1024"]].map(threeDigits);
  return line(
    model,
    backend,
    component,
    count,
    measuredWith,
    weights,
    seconds.toFixed(3),
    gigaflops.toFixed(1),
    ...all,
  );
}

/** Steps put together from their pieces. */
export function stepEstimates({ rows }: BlocksReport): string {
  const steps = new Map<string, Record<keyof BlockRow["whole"], number>>();
  for (const { model, backend, inStep, whole } of rows) {
    if (!inStep) continue;
    const step = steps.get(`${model}, ${backend}`) ?? { "512": 0, "1024": 0 };
    step["512"] += whole["512"];
    step["1024"] += whole["1024"];
    steps.set(`${model}, ${backend}`, step);
  }
  return [
    `\n${head("a step of", "at 512², s", "at 1024², s")}`,
    ...[...steps].map(([name, step]) => line(name, threeDigits(step["512"]), threeDigits(step["1024"]))),
  ].join("\n");
}

/** Never with an exponent. */
function threeDigits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
