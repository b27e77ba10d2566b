import type { LoraStages, LoraUse } from "../pipeline/pipeline-request.ts";
import { checkChoice, checkFields, checkNumber, invalid } from "./checks.ts";
import { readLora } from "../weights/lora/lora-file.ts";

/** A LoRA of a request. */
export interface LoraInput {
  /** A safetensors file with keys in the style of diffusers, BFL, ComfyUI, kohya or PEFT. */
  readonly data: Blob | ArrayBuffer | Uint8Array;
  /** What errors and reports call it. Default: "LoRA 1", "LoRA 2", … */
  readonly name?: string | undefined;
  /** −4 … 4. Default: 1. */
  readonly weight?: number | undefined;
  /** The noise levels on which it acts: `high` from sigma 0.875 up, `low` below. Default: `both`. */
  readonly stages?: LoraStages | undefined;
}

const FIELDS = Object.keys({ data: 0, name: 0, weight: 0, stages: 0 } satisfies Record<keyof LoraInput, 0>);
const STAGES: readonly LoraStages[] = ["high", "low", "both"];
const MAX_WEIGHT = 4;

/** A LoRA with its defaults, not read yet. */
export type ResolvedLora = Required<{ readonly [K in keyof LoraInput]: NonNullable<LoraInput[K]> }>;

/** @throws KleinbildError `invalid-request` */
export function resolveLoras(loras: readonly LoraInput[] | undefined): readonly ResolvedLora[] {
  if (loras === undefined) return [];
  if (!Array.isArray(loras)) throw invalid("loras", "a list of LoRAs", loras);
  return loras.map((lora: LoraInput, i) => {
    const path = `loras[${i}]`;
    checkFields(path, lora, FIELDS, path);
    const { data, name = `LoRA ${i + 1}`, weight = 1, stages = "both" } = lora;
    if (!(data instanceof Blob || data instanceof ArrayBuffer || data instanceof Uint8Array))
      throw invalid(`${path}.data`, "a Blob or the bytes of a safetensors file", data);
    if (typeof name !== "string") throw invalid(`${path}.name`, "a string", name);
    checkNumber(`${path}.weight`, weight, -MAX_WEIGHT, MAX_WEIGHT);
    return { data, name, weight, stages: checkChoice(`${path}.stages`, stages, STAGES) };
  });
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
