import { KleinbildError } from "../errors.ts";

/**
 * How an evaluation of the velocity may reuse the results of an earlier one.
 * - `first-block`: first-block cache (ParaAttention, diffusers' `FirstBlockCacheConfig`). The first block runs. Where its
 *   change of the target differs from the cached one by less than `threshold`, relatively, the cached change of all other
 *   blocks is used.
 * - `tea`: TeaCache (Liu et al. 2024, arXiv 2411.19108). No block runs while the estimated changes of the output since the
 *   last evaluation that computed add up to less than `distance`. A polynomial with `coefficients`, highest power first,
 *   estimates them.
 * - `dual-block`: DBCache of Cache-DiT. As the first-block cache, with `firstBlocks` blocks before the decision and
 *   `lastBlocks` behind the reused change, and at most `skipInterval` evaluations that reuse between two that do not.
 *
 * Larger thresholds and distances reuse more, 0 never does.
 */
export type StepCacheMethod =
  | { readonly kind: "first-block"; readonly threshold: number }
  | { readonly kind: "tea"; readonly distance: number; readonly coefficients: readonly number[] }
  | {
      readonly kind: "dual-block";
      readonly threshold: number;
      readonly skipInterval: number;
      readonly firstBlocks: number;
      readonly lastBlocks: number;
    };

export interface StepCacheOptions {
  readonly method: StepCacheMethod;
  /** First step, from 0, that may reuse. The first evaluation of a run computes in any case. */
  readonly startStep: number;
  /** Step from which none reuses any more. */
  readonly endStep: number;
  /** Most evaluations in a row that reuse. */
  readonly maxConsecutive: number;
}

/** Blocks of the transformer in the order in which they run: before the decision, those that reuse skips, behind them. */
export interface BlockSplit {
  readonly first: number;
  readonly last: number;
}

/**
 * @param blocks  double and single blocks of the model
 * @returns       `first`: blocks before the decision; `last`: where the blocks behind the skipped ones begin
 * @throws KleinbildError `invalid-request` when a number is out of its range, or no block is left to be skipped
 */
export function splitBlocks(
  { method, startStep, endStep, maxConsecutive }: StepCacheOptions,
  blocks: number,
): BlockSplit {
  atLeast("startStep", startStep, 0, true);
  atLeast("endStep", endStep, 0, true);
  atLeast("maxConsecutive", maxConsecutive, 0, true);
  switch (method.kind) {
    case "first-block":
      atLeast("threshold", method.threshold, 0);
      return split(1, 0, blocks);
    case "tea":
      atLeast("distance", method.distance, 0);
      if (method.coefficients.length === 0 || !method.coefficients.every(Number.isFinite))
        throw invalid("coefficients", `finite numbers, at least one; got [${method.coefficients.join(", ")}]`);
      return split(0, 0, blocks);
    case "dual-block":
      atLeast("threshold", method.threshold, 0);
      atLeast("skipInterval", method.skipInterval, 1, true);
      atLeast("firstBlocks", method.firstBlocks, 1, true);
      atLeast("lastBlocks", method.lastBlocks, 0, true);
      return split(method.firstBlocks, method.lastBlocks, blocks);
    default:
      return method satisfies never;
  }
}

function split(first: number, behind: number, blocks: number): BlockSplit {
  if (first + behind >= blocks)
    throw invalid(
      "firstBlocks + lastBlocks",
      `below the ${blocks} blocks of the model, or nothing is skipped; got ${first + behind}`,
    );
  return { first, last: blocks - behind };
}

function atLeast(name: string, value: number, minimum: number, whole = false): void {
  if (Number.isFinite(value) && value >= minimum && (!whole || Number.isInteger(value))) return;
  throw invalid(name, `a ${whole ? "whole " : ""}number of at least ${minimum}; got ${value}`);
}

function invalid(name: string, expected: string): KleinbildError {
  return new KleinbildError("invalid-request", `stepCache.${name} must be ${expected}.`, {
    parameter: `stepCache.${name}`,
  });
}
