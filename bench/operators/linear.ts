import type { BackendName } from "../../runtime/backend/backend.ts";
import type { WeightFormat } from "../../runtime/backend/matrix.ts";
import { type Operator, sampled } from "./operator.ts";
import type { OperatorShapes } from "./shapes.ts";
import type { Workspace } from "./workspace.ts";

/** y = x · weightᵀ, with the weight in the scalar type or quantized. In onnxruntime: Gemm or MatMulNBits. */
export function linear(
  space: Workspace,
  kind: "plain" | "q8" | "q4",
  { width, text, target }: OperatorShapes,
): Operator {
  const format: WeightFormat = kind === "plain" ? space.scalar : kind;
  const rows = text + target;
  const x = space.random(rows * width);
  const [matrix, values] = space.matrix(format, width, width);
  const input = space.upload([rows, width], x);
  const output = space.tensor([rows, width]);
  const run = (name: BackendName) => () =>
    space.backends[name].linear(space.scope, { x: input, weights: [matrix], outputs: [output] });
  const expected = sampled(rows * width, (at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let k = 0; k < width; k++) sum += x[row * width + k]! * values[column * width + k]!;
    return sum;
  });
  return {
    name: `linear, weights ${format}`,
    shape: `${rows} × ${width} → ${width}`,
    work: { operations: 2 * rows * width * width },
    runs: { ort: run("ort"), wgsl: run("wgsl") },
    outputs: [{ tensor: output, expected }],
  };
}
