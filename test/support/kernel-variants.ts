import {
  attention,
  attentionWide,
  convolve,
  gatedAdd,
  gatherBand,
  groupNormFinish,
  groupNormStatistics,
  headNormRope,
  KERNELS,
  linear,
  linearQ4,
  linearQ8,
  normalize,
} from "../../kernels/index.ts";
import type { Kernel } from "../../kernels/kernel.ts";

type Overrides<K extends Kernel> = Readonly<Partial<Record<keyof K["overrides"] & string, number>>>;

/** Every combination of the given values. */
function combinations(
  values: Readonly<Record<string, readonly number[]>>,
): readonly Readonly<Record<string, number>>[] {
  let all: readonly Readonly<Record<string, number>>[] = [{}];
  for (const [name, settings] of Object.entries(values))
    all = all.flatMap((variant) => settings.map((value) => ({ ...variant, [name]: value })));
  return all;
}

const ON_OFF = [0, 1];
/** Head widths from the smallest that the engine takes, one of which fills a chunk of 32 in part; the default is the largest. */
const HEAD_DIMS = [8, 40, 64];

function variants<K extends Kernel>(
  kernel: K,
  values: Readonly<Partial<Record<keyof Overrides<K>, readonly number[]>>>,
): readonly [string, readonly Readonly<Record<string, number>>[]] {
  return [kernel.name, combinations(values as Readonly<Record<string, readonly number[]>>)];
}

const VARIANTS = new Map([
  variants(headNormRope, { HEAD_DIM: [...HEAD_DIMS, 128], INTERLEAVED: ON_OFF, LANES: [1], ITEMS: [8] }),
  variants(attention, { HEAD_DIM: HEAD_DIMS }),
  variants(attentionWide, { LANES_K: [8, 16] }),
  variants(gatedAdd, { GATED: ON_OFF }),
  variants(normalize, { KIND: [0, 2], LANES: [1], ITEMS: [8] }),
  ...[linear, linearQ8, linearQ4].map((kernel) =>
    variants(kernel, { TWO_LEVEL: [1], DIRECT: [1], LOW_RANK: [1], BIASED: [1], EPILOGUE: [1, 2, 3] }),
  ),
  variants(convolve, { TWO_LEVEL: [1], DIRECT: [1], UPSAMPLE: ON_OFF, ACCUMULATE: [1] }),
  ...[groupNormStatistics, groupNormFinish].map((kernel) => variants(kernel, { LANES: [1], ITEMS: [8] })),
  variants(gatherBand, { NORMALIZE: ON_OFF, ACTIVATE: ON_OFF, UPSAMPLE: ON_OFF }),
]);

/** The overrides that the engine creates pipelines with; the defaults are `{}`, and always first. */
export function kernelVariants(kernel: Kernel): readonly Readonly<Record<string, number>>[] {
  return [{}, ...(VARIANTS.get(kernel.name) ?? [])];
}

/** Kernels by name, for a test of each. */
export const KERNELS_BY_NAME: readonly (readonly [name: string, kernel: Kernel])[] = KERNELS.map((kernel) => [
  kernel.name,
  kernel,
]);
