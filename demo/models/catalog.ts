import type { AdapterSummary, Quantization } from "../../runtime/index.ts";

const GIB = 2 ** 30;

/** Most bytes on the GPU at once for a picture of 1024 × 1024, and the least that a memory budget brings that down to. */
interface GpuNeed {
  readonly peakBytes: number;
  readonly leastBytes: number;
}

export type GpuNeeds = Readonly<Record<Quantization, GpuNeed>>;

export type FullSize = "4B" | "9B";

/** A model that its publisher gives, and the project does not. */
export interface CatalogEntry {
  readonly name: string;
  /** What it is for. */
  readonly about: string;
  readonly size: FullSize;
  readonly license: { readonly name: string; readonly url: string };
  /** Where it is published. */
  readonly repository: string;
  /** Whether one has to sign in there and accept its licence before it can be downloaded. */
  readonly gated: boolean;
}

const PUBLISHER = "https://huggingface.co/black-forest-labs";
const APACHE = { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" };
const NON_COMMERCIAL = { name: "FLUX Non-Commercial License", url: `${PUBLISHER}/FLUX.2-klein-9B` };

export const CATALOG: readonly CatalogEntry[] = [
  {
    name: "klein 4B",
    about: "Pictures and edits in 4 steps: the one to begin with.",
    size: "4B",
    license: APACHE,
    repository: `${PUBLISHER}/FLUX.2-klein-4B`,
    gated: false,
  },
  {
    name: "klein 4B Base",
    about:
      "Not distilled: takes guidance and a negative prompt, and some 50 steps of two passes each. For training LoRAs.",
    size: "4B",
    license: APACHE,
    repository: `${PUBLISHER}/FLUX.2-klein-base-4B`,
    gated: false,
  },
  {
    name: "klein 9B",
    about: "Better pictures in 4 steps, with more than twice the memory and time of 4B.",
    size: "9B",
    license: NON_COMMERCIAL,
    repository: `${PUBLISHER}/FLUX.2-klein-9B`,
    gated: true,
  },
  {
    name: "klein 9B Base",
    about: "Not distilled: takes guidance and a negative prompt, and some 50 steps of two passes each.",
    size: "9B",
    license: NON_COMMERCIAL,
    repository: `${PUBLISHER}/FLUX.2-klein-base-9B`,
    gated: true,
  },
  {
    name: "klein 9B KV",
    about:
      "9B for editing: keys and values of references are computed once, and kept for all steps and later pictures.",
    size: "9B",
    license: NON_COMMERCIAL,
    repository: `${PUBLISHER}/FLUX.2-klein-9b-kv`,
    gated: true,
  },
];

/** Bytes of the published files in 16 bits: transformer, text encoder, autoencoder. */
export const FILE_BYTES: Readonly<Record<FullSize, number>> = { "4B": 16e9, "9B": 34.7e9 };

const need = (peak: number, least: number): GpuNeed => ({ peakBytes: peak * GIB, leastBytes: least * GIB });

/** By the memory plan, which counts onnxruntime for the dense layers: it takes the most. A test compares them. */
const GPU_NEEDS: Readonly<Record<FullSize, Readonly<Record<"f16" | "f32", GpuNeeds>>>> = {
  "4B": {
    f16: { none: need(15, 8.1), q8: need(9.4, 4.9), q4: need(6.4, 3.1) },
    f32: { none: need(29.5, 15.7), q8: need(12.4, 5.8), q4: need(9.4, 5) },
  },
  "9B": {
    f16: { none: need(29.4, 18), q8: need(17.2, 10.3), q4: need(10.7, 6.3) },
    f32: { none: need(58, 35.4), q8: need(20.7, 12), q4: need(14.2, 8) },
  },
};

/** What a model takes on an adapter: in f16 where there is none to ask. */
export function gpuNeeds(size: FullSize, adapter: Pick<AdapterSummary, "f16"> | undefined): GpuNeeds {
  return GPU_NEEDS[size][adapter?.f16 === false ? "f32" : "f16"];
}
