import { attention, attentionWide, gatedAdd, gatherBand, headNormRope, KERNELS } from "../../kernels/index.ts";
import type { Kernel } from "../../kernels/kernel.ts";

type Overrides<K extends Kernel> = Readonly<Partial<Record<keyof K["overrides"] & string, number>>>;

/** Every combination of the given values. */
function combinations(
  values: Readonly<Record<string, readonly number[]>>,
): readonly Readonly<Record<string, number>>[] {
  let all: readonly Readonly<Record<string, number>>[] = [{}];
  for (const [name, choices] of Object.entries(values))
    all = all.flatMap((chosen) => choices.map((choice) => ({ ...chosen, [name]: choice })));
  return all;
}

const ON_OFF = [0, 1];
/** Head widths from the smallest to the largest that the engine takes, and one that fills a chunk of 32 in part. */
const HEAD_DIMS = [8, 40, 64, 128];

function variants<K extends Kernel>(
  kernel: K,
  ...choices: readonly Readonly<Partial<Record<keyof Overrides<K>, readonly number[]>>>[]
): readonly [string, readonly Readonly<Record<string, number>>[]] {
  return [
    kernel.name,
    choices.flatMap((values) => combinations(values as Readonly<Record<string, readonly number[]>>)),
  ];
}

const VARIANTS = new Map([
  variants(headNormRope, { HEAD_DIM: HEAD_DIMS, INTERLEAVED: ON_OFF }),
  variants(attention, { HEAD_DIM: HEAD_DIMS }),
  variants(
    attentionWide,
    { WIDTH: [1, 32, 128], LANES_K: [8] },
    { WIDTH: [129, 256], LANES_K: [16] },
    { WIDTH: [257, 512], LANES_K: [32] },
  ),
  variants(gatedAdd, { GATED: ON_OFF }),
  variants(gatherBand, { NORMALIZE: ON_OFF, ACTIVATE: ON_OFF, UPSAMPLE: ON_OFF }),
]);

/** The overrides that the engine creates pipelines with; the defaults are `{}`, and always first. */
export function kernelVariants(kernel: Kernel): readonly Readonly<Record<string, number>>[] {
  return [{}, ...(VARIANTS.get(kernel.name) ?? [])];
}

/** Kernels with overrides of their own, by the name of a test. */
export const KERNELS_BY_NAME: readonly (readonly [name: string, kernel: Kernel])[] = KERNELS.map((kernel) => [
  kernel.name,
  kernel,
]);
