import { paddedChannels } from "../backend/matrix.ts";
import { BYTES_PER_ELEMENT, tensorBytes } from "../gpu/tensor.ts";
import { inventory, type InventoryTensor, type WeightPart } from "../weights/inventory.ts";
import { QUANTIZATION_BLOCK } from "../weights/quantize.ts";
import { type PlanSetup, rowBytes } from "./plan-context.ts";

export type PartWeights = Readonly<Record<WeightPart, number>>;

/** Bytes that the weights of each part take on the GPU. */
export function weightBytes(setup: PlanSetup): PartWeights {
  const of = (part: WeightPart): number => {
    const tensors = inventory(setup.config, part);
    const scalars = biasesInScalar(tensors);
    return tensors.reduce((sum, tensor) => sum + tensorWeight(setup, tensor, scalars), 0);
  };
  return { textEncoder: of("textEncoder"), transformer: of("transformer"), vae: of("vae") };
}

function tensorWeight(setup: PlanSetup, { name, shape, role }: InventoryTensor, scalars: ReadonlySet<string>): number {
  switch (role) {
    case "table":
      return 0; // stays with the file
    case "block":
      return columnsOf(setup, name, shape[1]!).reduce(
        (sum, columns) => sum + matrixBytes(setup, shape[0]!, columns),
        0,
      );
    case "unquantized":
      return tensorBytes(setup.scalar, shape);
    case "kernel": {
      const [out = 0, inputs = 0, ...size] = shape;
      // four kernels of 2×2 where upsampling is folded into the convolution
      const taps = setup.backends.convolution === "wgsl" && name.includes("upsamplers") ? [4, 2, 2] : size;
      return tensorBytes(setup.scalar, [out, paddedChannels(inputs), ...taps]);
    }
    case "vector":
      // the statistics of the latents are there twice: to normalise, and to undo it
      return tensorBytes(scalars.has(name) ? setup.scalar : "f32", shape) * (name.startsWith("bn.") ? 2 : 1);
    default:
      return role satisfies never;
  }
}

/** Columns of the matrices that a stored one becomes: the output of a single block is that of attention and feed-forward. */
function columnsOf({ config }: PlanSetup, name: string, columns: number): readonly number[] {
  const { hidden } = config.transformer;
  return /^single_transformer_blocks\.\d+\.attn\.to_out\.weight$/.test(name) ? [hidden, columns - hidden] : [columns];
}

function matrixBytes(setup: PlanSetup, rows: number, columns: number): number {
  const { scalar, quantization } = setup;
  const values = rows * rowBytes(setup, columns, true);
  if (quantization === "none" || columns % QUANTIZATION_BLOCK !== 0) return values;
  return values + ((rows * columns) / QUANTIZATION_BLOCK) * BYTES_PER_ELEMENT[scalar];
}

/** Biases of matrices and convolutions are in the scalar type, those of norms in f32. */
function biasesInScalar(tensors: readonly InventoryTensor[]): ReadonlySet<string> {
  const weights = tensors.filter(({ role }) => role === "unquantized" || role === "kernel");
  return new Set(weights.map(({ name }) => name.replace(/weight$/, "bias")));
}
