import { KleinbildError } from "../../errors.ts";
import { bf16ToF32, f16ToF32 } from "../float.ts";

/** A tensor of a LoRA file. */
export interface LoraValues {
  /** Names of the file and the tensor, for errors. */
  readonly label: string;
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** @throws KleinbildError `unsupported` for a type that is not read, `invalid-model` for NaN or infinity */
export function readValues({ label, type, bytes }: LoraValues): Float32Array<ArrayBuffer> {
  const values = convert(type, bytes.slice().buffer); // copied, to align it
  if (!values)
    throw new KleinbildError("unsupported", `${label} has the type ${type}; supported types are F32, BF16 and F16.`, {
      tensor: label,
    });
  for (const value of values) expectFinite(label, value);
  return values;
}

function expectFinite(label: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new KleinbildError("invalid-model", `${label} has values that are not finite: the file is damaged.`, {
    tensor: label,
  });
}

/** The value of a scalar. Trainers store it in any type. */
export function readScalar(stored: LoraValues): number {
  const { label, type, shape, bytes } = stored;
  if (shape.length > 1 || (shape[0] ?? 1) !== 1)
    throw new KleinbildError("invalid-model", `${label} must be one number; got [${shape.join(", ")}].`, {
      tensor: label,
    });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === "I64" && bytes.length === 8) return Number(view.getBigInt64(0, true));
  if (type === "I32" && bytes.length === 4) return view.getInt32(0, true);
  if (type === "F64" && bytes.length === 8) return expectFinite(label, view.getFloat64(0, true));
  return readValues(stored)[0]!;
}

function convert(type: string, buffer: ArrayBuffer): Float32Array<ArrayBuffer> | undefined {
  switch (type) {
    case "F32":
      return new Float32Array(buffer);
    case "BF16":
      return bf16ToF32(new Uint16Array(buffer));
    case "F16":
      return f16ToF32(new Uint16Array(buffer));
    default:
      return undefined;
  }
}
