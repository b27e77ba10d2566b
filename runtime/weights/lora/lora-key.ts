/** What the name of a tensor in a LoRA's file says. */
export type LoraKey =
  /** A factor of the change of a module, or its alpha. */
  | { readonly kind: "tensor"; readonly module: string; readonly tensor: LoraTensor }
  /** Something of the text encoder, which is not adapted. */
  | { readonly kind: "text-encoder" }
  /** A method of adaptation that is not built; `method` names it. */
  | { readonly kind: "unsupported"; readonly method: string }
  | { readonly kind: "other" };

export type LoraTensor = "down" | "up" | "alpha";

/** PEFT puts the adapter's name behind the factor's: `lora_A.default.weight`. */
const FACTOR = /^(.+?)\.(?:lora_(A|B|down|up)|lora\.(down|up))(?:\.[\w-]+)?\.weight$/;
const ALPHA = /^(.+)\.alpha$/;
const TEXT_ENCODER = /^(?:lora_te\d*_|(?:text_encoders?(?:_\d+)?|text_model|te\d*)\.)/;

const METHODS: readonly (readonly [suffix: RegExp, method: string])[] = [
  [/\.lokr_\w+$/, "LoKr"],
  [/\.hada_\w+$/, "LoHa"],
  [/\.(?:oft|boft|vera)_\w+(?:\.weight)?$/, "orthogonal or vector-based fine-tuning"],
  [/\.(?:dora_scale|lora_magnitude_vector)(?:\.[\w-]+)*$/, "DoRA"],
  [/\.lora_mid(?:\.weight)?$/, "a LoRA of convolutions"],
  [/\.lora_(?:A|B|down|up)(?:\.[\w-]+)?\.bias$/, "a LoRA with biases"],
  [/\.(?:diff|diff_b|set_weight)$/, "stored differences of weights"],
];

/** Reads a tensor's name in any of the styles: diffusers, BFL, ComfyUI, kohya, PEFT. */
export function parseLoraKey(name: string): LoraKey {
  if (TEXT_ENCODER.test(name.replace(/^base_model\.model\./, ""))) return { kind: "text-encoder" };
  for (const [suffix, method] of METHODS) if (suffix.test(name)) return { kind: "unsupported", method };
  const factor = FACTOR.exec(name);
  if (factor) {
    const side = factor[2] ?? factor[3];
    return { kind: "tensor", module: factor[1]!, tensor: side === "A" || side === "down" ? "down" : "up" };
  }
  const alpha = ALPHA.exec(name);
  return alpha ? { kind: "tensor", module: alpha[1]!, tensor: "alpha" } : { kind: "other" };
}
