/** The meaning of a tensor's name in a LoRA file. */
export type LoraKey =
  /** A low-rank matrix of a module, or its alpha. */
  | { readonly kind: "tensor"; readonly module: string; readonly tensor: LoraTensor }
  /** Belongs to the text encoder, which is not adapted. */
  | { readonly kind: "text-encoder" }
  /** Belongs to an unsupported kind of adapter. */
  | { readonly kind: "unsupported"; readonly method: string }
  | { readonly kind: "other" };

export type LoraTensor = "down" | "up" | "alpha";

/** PEFT may insert the name of the adapter: `lora_A.default.weight`. */
const MATRIX = /^(.+?)\.(?:lora_(A|B|down|up)|lora\.(down|up))(?:\.[\w-]+)?\.weight$/;
const ALPHA = /^(.+)\.alpha$/;
const TEXT_ENCODER = /^(?:lora_te\d*_|(?:text_encoders?(?:_\d+)?|text_model|te\d*)\.)/;

const METHODS: readonly (readonly [suffix: RegExp, method: string])[] = [
  [/\.lokr_\w+$/, "LoKr"],
  [/\.hada_\w+$/, "LoHa"],
  [/\.(?:oft|boft|vera)_\w+(?:\.weight)?$/, "orthogonal or vector-based fine-tuning"],
  [/\.(?:dora_scale|lora_magnitude_vector)(?:\.[\w-]+)*$/, "DoRA"],
  [/\.lora_mid(?:\.weight)?$/, "a LoRA of convolutions"],
  [/\.lora_(?:A|B|down|up)(?:\.[\w-]+)?\.bias$/, "a LoRA with biases"],
  [/\.(?:diff|diff_b|set_weight)$/, "full differences of weights"],
];

/** Parses a tensor's name in any key style: diffusers, BFL, ComfyUI, kohya, PEFT. */
export function parseLoraKey(name: string): LoraKey {
  if (TEXT_ENCODER.test(name.replace(/^base_model\.model\./, ""))) return { kind: "text-encoder" };
  for (const [suffix, method] of METHODS) if (suffix.test(name)) return { kind: "unsupported", method };
  const matrix = MATRIX.exec(name);
  if (matrix) {
    const side = matrix[2] ?? matrix[3];
    return { kind: "tensor", module: matrix[1]!, tensor: side === "A" || side === "down" ? "down" : "up" };
  }
  const alpha = ALPHA.exec(name);
  return alpha ? { kind: "tensor", module: alpha[1]!, tensor: "alpha" } : { kind: "other" };
}
