import * as v from "valibot";
import type { LoraStages, LoraUse } from "../pipeline/pipeline-request.ts";
import { choice, custom, float, text } from "../validation/field-kinds.ts";
import { readLora } from "../weights/lora/lora-file.ts";

/** A LoRA (low-rank adapter) of a request. */
export interface LoraInput {
  /** A safetensors file with keys in the style of diffusers, BFL, ComfyUI, kohya or PEFT. */
  readonly data: Blob | ArrayBuffer | Uint8Array;
  /** Its name in errors and reports. Default: "LoRA 1", "LoRA 2", … */
  readonly name?: string | undefined;
  /** −4 … 4; 0 has no effect, negative weights lead away. Default: 1. */
  readonly weight?: number | undefined;
  /** The noise levels at which it acts: `high` from sigma 0.875 up, `low` below. Default: `both`. */
  readonly stages?: LoraStages | undefined;
}

const MAX_WEIGHT = 4;

/** One LoRA of a request, with its defaults but the name. */
export const requestLoraSchema = v.strictObject({
  data: custom<LoraInput["data"]>(
    (data) => data instanceof Blob || data instanceof ArrayBuffer || data instanceof Uint8Array,
    { expected: "a Blob or the bytes of a safetensors file" },
  ),
  name: v.optional(text()),
  weight: v.optional(float({ min: -MAX_WEIGHT, max: MAX_WEIGHT }), 1),
  stages: v.optional(choice(["high", "low", "both"]), "both"),
} satisfies Record<keyof LoraInput, v.GenericSchema>);

/** A LoRA with its defaults. Its file has not been read. */
export type ResolvedLora = Required<{ readonly [K in keyof LoraInput]: NonNullable<LoraInput[K]> }>;

/** Names the LoRAs that have no name. */
export function nameLoras(loras: readonly v.InferOutput<typeof requestLoraSchema>[]): readonly ResolvedLora[] {
  return loras.map(({ name, ...lora }, i) => ({ ...lora, name: name ?? `LoRA ${i + 1}` }));
}

/** @throws KleinbildError `invalid-model` for a file that is no LoRA */
export async function readLoras(loras: readonly ResolvedLora[]): Promise<readonly LoraUse[]> {
  const uses = [];
  for (const { data, name, weight, stages } of loras) {
    const bytes =
      data instanceof Uint8Array ? data : new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
    uses.push({ file: readLora(bytes, name), weight, stages });
  }
  return uses;
}
