/** What a benchmark case measures and when it runs. */
export interface CaseFacts {
  /** One sentence for a list of cases. */
  readonly description: string;
  /** Whether a run that names no cases includes it. The others take minutes. */
  readonly byDefault: boolean;
  /** Whether it needs the disk or the sources, so that a page cannot run it. */
  readonly nodeOnly: boolean;
}

const inDefaultRun = (description: string) => ({ description, byDefault: true, nodeOnly: false }) as const;
const onRequest = (description: string) => ({ description, byDefault: false, nodeOnly: false }) as const;
const inNode = (description: string) => ({ description, byDefault: false, nodeOnly: true }) as const;

/** All cases, in the order in which they run. */
export const CASES = {
  roofline: inDefaultRun("What the adapter reaches at best: arithmetic, memory, dispatches."),
  operators: inDefaultRun("Linear layers, attention, convolution and norms, on onnxruntime and on our kernels."),
  pictures: inDefaultRun("klein-nano at 128 × 128, with and without references, on both backends."),
  "pictures-all": onRequest("The same at all its sizes, with 0, 1, 2 and 4 references, in each reference mode."),
  base: onRequest("klein-nano-base, 28 steps with guidance, on both backends."),
  references: onRequest("Steps with four references: kept, computed in every step, and none."),
  blocks: onRequest("klein 4B and 9B by the block, on seeded weights in 4 bits, on both backends."),
  "reference-bound": onRequest("Kept references at klein 4B's widths, against what arithmetic allows."),
  acceleration: onRequest("What step caches save on klein-nano-base, and what they cost."),
  loading: inNode("One matrix from a file to the GPU, by format and stage; from a server into the store."),
  sizes: inNode("Bytes that a page loads, with our kernels alone and with onnxruntime."),
} as const satisfies Readonly<Record<string, CaseFacts>>;

/** The name of a benchmark case. */
export type CaseName = keyof typeof CASES;
/** The names of all cases, in the order in which they run. */
export const CASE_NAMES = Object.keys(CASES) as readonly CaseName[];
