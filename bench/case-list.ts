/** What a benchmark case measures and when it runs. */
export interface CaseFacts {
  /** One sentence for a list of cases. */
  readonly description: string;
  /** Whether a run that names no cases includes it. The others take minutes. */
  readonly byDefault: boolean;
  /** Whether it needs the disk or the sources, so that a page cannot run it. */
  readonly nodeOnly: boolean;
}

/** The name of a benchmark case. */
export type CaseName =
  | "roofline"
  | "operators"
  | "pictures"
  | "pictures-all"
  | "base"
  | "references"
  | "blocks"
  | "reference-bound"
  | "acceleration"
  | "loading"
  | "sizes";

const inDefaultRun = (description: string) => ({ description, byDefault: true, nodeOnly: false }) as const;
const onRequest = (description: string) => ({ description, byDefault: false, nodeOnly: false }) as const;
const inNode = (description: string) => ({ description, byDefault: false, nodeOnly: true }) as const;

/** All cases, in the order of a run. */
export const CASES: Readonly<Record<CaseName, CaseFacts>> = {
  roofline: inDefaultRun("Limits of the adapter: arithmetic, memory, dispatches."),
  operators: inDefaultRun("Linear layers, attention, convolution and norms, with onnxruntime and with our kernels."),
  pictures: inDefaultRun("klein-nano at 128 × 128 on both backends, with and without references."),
  "pictures-all": onRequest(
    "klein-nano at all its sizes on both backends, with 0, 1, 2 and 4 references in each reference mode.",
  ),
  base: onRequest("klein-nano-base on both backends, 28 steps with guidance."),
  references: onRequest(
    "Steps without references, with four cached ones, and with four that are computed in every step.",
  ),
  blocks: onRequest("Single blocks of klein 4B and 9B on both backends, with seeded weights in 4 bits."),
  "reference-bound": onRequest(
    "Speed-up by cached references at klein 4B's widths, compared with its theoretical bound.",
  ),
  acceleration: onRequest("Time that step caches save on klein-nano-base, and their effect on pictures."),
  loading: inNode("Loading of one matrix from a file to the GPU, by format and stage; download into the store."),
  sizes: inNode("Bytes that a page loads, with our kernels only and with onnxruntime."),
};

/** The names of all cases, in the order in which they run. */
export const CASE_NAMES = Object.keys(CASES) as readonly CaseName[];
