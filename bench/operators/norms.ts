import { normalize } from "../../kernels/index.ts";
import { Attention } from "../../runtime/backend/attention.ts";
import type { OnnxGraph } from "../../runtime/backend/ort/onnx.ts";
import { BYTES_PER_ELEMENT } from "../../runtime/gpu/tensor.ts";
import { foldGrid, reductionLanes } from "../../runtime/gpu/workgroups.ts";
import { VaeBlocks } from "../../runtime/vae/blocks.ts";
import { FLOAT_TYPES, type Operator, sampled } from "./operator.ts";
import type { OperatorShapes } from "./shapes.ts";
import type { Workspace } from "./workspace.ts";

const EPS = 1e-6;
const GROUPS = 32;
/** float16 in ONNX's `TensorProto.DataType`. */
const FLOAT16 = 10;

/** A modulated LayerNorm or an RMS norm of the residual stream, from f32 to the scalar type. */
export function rowNorm(space: Workspace, kind: "layer" | "rms", { width, text, target }: OperatorShapes): Operator {
  const { gpu, scalar } = space;
  const rows = text + target;
  const [x, scale, shift] = [space.random(rows * width), space.random(width), space.random(width)];
  const input = space.upload([rows, width], x, "f32");
  const output = space.tensor([rows, width]);
  const weights = { scale: space.upload([width], scale, "f32"), shift: space.upload([width], shift, "f32") };
  const quads = width / 4;
  const lanes = reductionLanes(gpu.adapter, quads);
  const layer = kind === "layer";
  const graph = (): OnnxGraph => {
    const normed = scalar === "f16" ? "normed" : "y";
    return {
      nodes: [
        {
          op: layer ? "LayerNormalization" : "SimplifiedLayerNormalization",
          inputs: layer ? ["x", "scale", "shift"] : ["x", "scale"],
          outputs: [normed],
          attributes: { axis: 1 },
          floats: { epsilon: EPS },
        },
        ...(scalar === "f16" ? [{ op: "Cast", inputs: [normed], outputs: ["y"], attributes: { to: FLOAT16 } }] : []),
      ],
      inputs: [
        { name: "x", type: "float32", shape: [rows, width] },
        ...(layer ? ["scale", "shift"] : ["scale"]).map((name) => ({ name, type: "float32", shape: [width] }) as const),
      ],
      outputs: [{ name: "y", type: FLOAT_TYPES[scalar], shape: [rows, width] }],
    };
  };
  const operands = { x: { tensor: input }, scale: { tensor: weights.scale } };
  const inputs = layer ? { ...operands, shift: { tensor: weights.shift } } : operands;
  return {
    name: layer ? "LayerNorm with modulation" : "RMS norm",
    shape: `${rows} × ${width}`,
    work: { bytes: rows * width * (BYTES_PER_ELEMENT.f32 + BYTES_PER_ELEMENT[scalar]) },
    runs: {
      async ort() {
        gpu.recorder.flush();
        await space.sessions.run(`${kind} norm`, graph, inputs, { y: { tensor: output } });
      },
      async wgsl() {
        gpu.recorder.dispatch(normalize, {
          bindings: { x: input, ...weights, y: output },
          parameters: { rows, quads, eps: EPS },
          overrides: { KIND: layer ? 1 : 2, ...lanes },
          scalar,
          grid: foldGrid(Math.ceil(rows / lanes.ITEMS)),
        });
      },
    },
    outputs: [
      {
        tensor: output,
        expected: sampled(rows * width, (at) => {
          const column = at % width;
          const { mean, variance } = moments(x.subarray(at - column, at - column + width));
          const centre = layer ? mean : 0;
          const normed = (x[at]! - centre) / Math.sqrt(variance + (mean - centre) ** 2 + EPS);
          return normed * scale[column]! + (layer ? shift[column]! : 0);
        }),
      },
    ],
  };
}

/** RMS norm and rotation of queries and keys; values are copied to the keys. onnxruntime has no such operator. */
export function headNormRotary(space: Workspace, { heads, headDim, text, target }: OperatorShapes): Operator {
  const rows = text + target;
  const width = heads * headDim;
  const kernel = new Attention(space.gpu, space.scalar, {
    heads,
    kvHeads: heads,
    headDim,
    pairs: "adjacent",
    eps: EPS,
  });
  const [queries, keys, values] = [0, 1, 2].map(() => space.random(rows * width)) as [
    Float32Array<ArrayBuffer>,
    Float32Array<ArrayBuffer>,
    Float32Array<ArrayBuffer>,
  ];
  const weights = space.random(2 * headDim);
  const angles = space.random((rows * headDim) / 2);
  const turns = new Float32Array(rows * headDim);
  for (const [i, angle] of angles.entries()) turns.set([Math.cos(angle), Math.sin(angle)], 2 * i);
  const upload = (array: Float32Array<ArrayBuffer>) => space.upload([rows, width], array);
  const projected = { queries: upload(queries), keys: upload(keys), values: upload(values) };
  const normWeights = space.upload([2, headDim], weights, "f32");
  const rotary = space.upload([rows, headDim / 2, 2], turns, "f32");
  const out = { queries: kernel.queries(space.scope, rows), keysValues: kernel.keysValues(space.scope, rows) };
  const [firstGroup] = out.queries.groups;
  return {
    name: "QK norm and rotation",
    shape: `${heads} heads of ${headDim}, ${rows} tokens`,
    work: { bytes: 6 * rows * width * BYTES_PER_ELEMENT[space.scalar] },
    runs: {
      async wgsl() {
        kernel.prepare({ projected, normWeights, rotary, firstRow: 0, target: out });
      },
    },
    outputs: [
      {
        tensor: firstGroup!,
        expected: sampled(
          firstGroup!.shape.reduce((product, size) => product * size, 1),
          (at) => {
            const channel = at % headDim;
            const row = Math.floor(at / headDim) % rows;
            const head = row * width + Math.floor(at / (headDim * rows)) * headDim;
            const { mean, variance } = moments(queries.subarray(head, head + headDim));
            const rms = Math.sqrt(variance + mean ** 2 + EPS);
            const [even, odd] = [channel - (channel % 2), channel - (channel % 2) + 1].map(
              (c) => (queries[head + c]! / rms) * weights[c]!,
            ) as [number, number];
            const angle = angles[(row * headDim) / 2 + Math.floor(channel / 2)]!;
            return channel % 2 === 0
              ? even * Math.cos(angle) - odd * Math.sin(angle)
              : even * Math.sin(angle) + odd * Math.cos(angle);
          },
        ),
      },
    ],
  };
}

/** Statistics of a feature map as a scale and a shift for each channel. onnxruntime-web has no GroupNorm on WebGPU. */
export function groupNorm(space: Workspace, { channels, side }: OperatorShapes): Operator {
  const { gpu, scalar, scope } = space;
  const positions = side * side;
  const x = space.random(positions * channels);
  const [weight, bias] = [space.random(channels), space.random(channels)];
  const map = {
    height: side,
    width: side,
    channels,
    rowsPerBand: side,
    bands: [space.upload([1, side, side, channels], x)],
  };
  const norm = { weight: space.upload([channels], weight, "f32"), bias: space.upload([channels], bias, "f32") };
  const output = space.tensor([2, channels], "f32");
  const context = { gpu, backend: space.backends.wgsl, scalar, groups: GROUPS, rowsPerBand: () => side };
  const blocks = new VaeBlocks(context, scope);
  const perGroup = channels / GROUPS;
  return {
    name: "group norm",
    shape: `${side} × ${side}, ${channels} channels, ${GROUPS} groups`,
    work: { bytes: positions * channels * BYTES_PER_ELEMENT[scalar] },
    runs: {
      async wgsl() {
        const affine = blocks.groupNorm(map, norm);
        gpu.recorder.copy(affine, 0, output, 0, 2 * channels); // a few hundred bytes, to check them
        scope.release(affine);
      },
    },
    outputs: [
      {
        tensor: output,
        expected: sampled(2 * channels, (at) => {
          const channel = at % channels;
          const group = Math.floor(channel / perGroup);
          const members = new Float32Array(positions * perGroup);
          for (let position = 0; position < positions; position++)
            for (let i = 0; i < perGroup; i++)
              members[position * perGroup + i] = x[position * channels + group * perGroup + i]!;
          const { mean, variance } = moments(members);
          const scale = weight[channel]! / Math.sqrt(variance + EPS);
          return at < channels ? scale : bias[channel]! - mean * scale;
        }),
      },
    ],
  };
}

function moments(values: Float32Array): { readonly mean: number; readonly variance: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, variance: squares / values.length };
}
