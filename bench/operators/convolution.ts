import type { BackendName } from "../../runtime/backend/backend.ts";
import type { Kernel2d, KernelLayout } from "../../runtime/backend/matrix.ts";
import { kernelConversion } from "../../runtime/weights/loader/kernel-layout.ts";
import { type Operator, sampled } from "./operator.ts";
import type { OperatorShapes } from "./shapes.ts";
import type { Workspace } from "./workspace.ts";

/** A 3 × 3 convolution of a square map, channels last. Only its width is padded; the input has two more rows. */
export function convolution(space: Workspace, { channels, side }: OperatorShapes): Operator {
  const x = space.random((side + 2) * side * channels);
  const weight = space.random(channels * channels * 9).map((value) => value / channels);
  const bias = space.random(channels);
  const input = space.upload([1, side + 2, side, channels], x);
  const output = space.tensor([1, side, side, channels]);
  const shape = { name: "bench", out: channels, in: channels, size: 3, bias: space.upload([channels], bias) };
  const inLayout = (layout: KernelLayout): Kernel2d => {
    const conversion = kernelConversion([channels, channels, 3], layout);
    return { ...shape, weight: space.upload(conversion.shape, conversion.convert(weight)) };
  };
  const kernels = { ort: inLayout("oihw"), wgsl: inLayout("ohwi") };
  const call = { x: input, stride: 1, padLeft: 1, padRight: 1, output } as const;
  const run = (name: BackendName) => () =>
    space.backends[name].convolve(space.scope, { ...call, weight: kernels[name] });
  const expected = sampled(side * side * channels, (at) => {
    const [position, out] = [Math.floor(at / channels), at % channels];
    const [row, column] = [Math.floor(position / side), position % side];
    let sum = bias[out]!;
    for (let tap = 0; tap < 9; tap++) {
      const sx = column + (tap % 3) - 1;
      if (sx < 0 || sx >= side) continue;
      const from = ((row + Math.floor(tap / 3)) * side + sx) * channels;
      for (let c = 0; c < channels; c++) sum += x[from + c]! * weight[(out * channels + c) * 9 + tap]!;
    }
    return sum;
  });
  return {
    name: "convolution 3 × 3",
    shape: `${side} × ${side}, ${channels} channels`,
    work: { operations: 2 * side * side * channels * channels * 9 },
    runs: { ort: run("ort"), wgsl: run("wgsl") },
    outputs: [{ tensor: output, expected }],
  };
}
