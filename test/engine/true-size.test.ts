import { describe, it } from "vitest";
import type { Matrix } from "../../runtime/backend/matrix.ts";
import { OrtBackend } from "../../runtime/backend/ort/ort-backend.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { Tensor } from "../../runtime/gpu/tensor.ts";
import { type Stream, TransformerModel } from "../../runtime/transformer/model.ts";
import { type PositionId, tokenRotaryTable, targetPositions, textPositions } from "../../runtime/transformer/rotary.ts";
import type { StreamWeights } from "../../runtime/transformer/weights.ts";
import type { TransformerConfig } from "../../runtime/weights/config/model-config.ts";
import {
  addGated,
  attend,
  concatenate,
  gatedUnits,
  type Heads,
  modulate,
  type ModulationVectors,
  normAndRotate,
  type PackedMatrix,
  packedLinear,
} from "../reference/transformer.ts";
import { expectClose, randomValues } from "../support/compare.ts";
import { upload, useGpu } from "../support/gpu.ts";

const ROWS = 16;
/** Rows of each stream that are compared: the CPU takes seconds for one at the true widths. */
const SAMPLE = [0, 11];
const MIB_128 = 128 * 2 ** 20;
const AXES = [32, 32, 32, 32];
const THETA = 2000;
const TOLERANCE = { absolute: 2e-3, relative: 1e-3 };

let seed = 1;

/** Seeded 4-bit codes; scales make the products of unit rows about 1. */
function randomMatrix(out: number, columns: number): PackedMatrix {
  const words = new Uint32Array((out * columns) / 8);
  let state = (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  const spread = 4.6 * Math.sqrt(columns); // codes -8 ... 7 have a deviation of 4.6
  const scales = randomValues((out * columns) / 32, state >>> 0).map((value) => (1 + value / 2) / spread);
  return { out, in: columns, packed: new Uint8Array(words.buffer), scales };
}

/** A matrix on the CPU and on the GPU. */
function makeMatrix(
  gpu: Gpu,
  scope: MemoryScope,
  out: number,
  columns: number,
): { readonly host: PackedMatrix; readonly gpu: Matrix } {
  const host = randomMatrix(out, columns);
  const values = scope.tensor("codes", "u8", [out, columns / 32, 16]);
  const scales = scope.tensor("scales", "f32", [host.scales.length]);
  gpu.recorder.write(values, host.packed);
  gpu.recorder.write(scales, host.scales);
  const piece = { firstRow: 0, rows: out, values, scales };
  return { host, gpu: { name: "test", out, in: columns, format: "q4", pieces: [piece] } };
}

type Pair = ReturnType<typeof makeMatrix>;
type Made = Readonly<Record<"q" | "k" | "v" | "out" | "gate" | "up" | "down", Pair>> & {
  readonly queryNorm: Float32Array;
  readonly keyNorm: Float32Array;
};

function makeWeights(gpu: Gpu, scope: MemoryScope, d: number, headDim: number): Made {
  const square = (): Pair => makeMatrix(gpu, scope, d, d);
  return {
    q: square(),
    k: square(),
    v: square(),
    out: square(),
    gate: makeMatrix(gpu, scope, 3 * d, d),
    up: makeMatrix(gpu, scope, 3 * d, d),
    down: makeMatrix(gpu, scope, d, 3 * d),
    queryNorm: randomValues(headDim, 5).map((value) => 1 + value / 4),
    keyNorm: randomValues(headDim, 6).map((value) => 1 + value / 4),
  };
}

function onGpu(gpu: Gpu, weights: Made): StreamWeights {
  const norms = upload(gpu, "f32", [2, weights.queryNorm.length], concatenate(weights.queryNorm, weights.keyNorm));
  return {
    qkv: [weights.q.gpu, weights.k.gpu, weights.v.gpu],
    norms,
    attentionOut: weights.out.gpu,
    gate: weights.gate.gpu,
    up: weights.up.gpu,
    down: weights.down.gpu,
  };
}

function makeModulation(d: number): ModulationVectors {
  const vector = (): Float32Array => randomValues(d, (seed += 7)).map((value) => value / 2);
  return { shift: vector(), scale: vector().map((value) => 1 + value), gate: vector() };
}

function uploadModulation(
  gpu: Gpu,
  { shift, scale, gate }: ModulationVectors,
): Record<"shift" | "scale" | "gate", Tensor> {
  const vector = (values: Float32Array): Tensor => upload(gpu, "f32", [values.length], values);
  return { shift: vector(shift), scale: vector(scale), gate: vector(gate) };
}

/** Queries, keys and values of all rows on the CPU. */
function projectRows(
  x: Float32Array,
  rotary: Float32Array,
  w: Made,
  modulation: ModulationVectors,
  heads: Heads,
): Record<"q" | "k" | "v", Float32Array> {
  const u = modulate(x, modulation, heads.eps);
  return {
    q: normAndRotate(packedLinear(u, w.q.host), w.queryNorm, rotary, heads),
    k: normAndRotate(packedLinear(u, w.k.host), w.keyNorm, rotary, heads),
    v: packedLinear(u, w.v.host),
  };
}

const sample = (values: Float32Array, width: number): Float32Array =>
  concatenate(...SAMPLE.map((row) => values.slice(row * width, (row + 1) * width)));

const SIZES = [
  { name: "4B", heads: 24 },
  { name: "9B", heads: 32 },
];

// 9B in the full run
describe.each(process.env["KLEINBILD_FULL"] === "1" ? SIZES : SIZES.slice(0, 1))(
  "blocks at the true width of $name, 4-bit weights",
  ({ heads }) => {
    const gpu = useGpu({ maxBindingBytes: MIB_128 });
    const headDim = 128;
    const d = heads * headDim;
    const shape: Heads = { heads, headDim, eps: 1e-6 };

    it("match the CPU on a sample of rows, a double and then a single block", async () => {
      using scope = gpu().memory.scope();
      const backend = await OrtBackend.create(gpu(), "f32");
      const weights = { image: makeWeights(gpu(), scope, d, headDim), text: makeWeights(gpu(), scope, d, headDim) };
      const single = makeWeights(gpu(), scope, d, headDim);
      const config: TransformerConfig = {
        hidden: d,
        heads,
        headDim,
        ropeAxes: AXES,
        ropeTheta: THETA,
        inChannels: 128,
        outChannels: 128,
        mlpHidden: 3 * d,
        doubleBlocks: 1,
        singleBlocks: 1,
        textWidth: 7680,
        timeChannels: 256,
        eps: 1e-6,
      };
      const singleOnGpu = onGpu(gpu(), single);
      const unused = weights.image.q.gpu;
      const model = new TransformerModel({
        gpu: gpu(),
        backend,
        scalar: "f32",
        config,
        weights: {
          imageIn: unused,
          textIn: unused,
          modulation: { timeIn: unused, timeOut: unused, image: unused, text: unused, single: unused, final: unused },
          double: [{ image: onGpu(gpu(), weights.image), text: onGpu(gpu(), weights.text) }],
          single: [{ ...singleOnGpu, mlpOut: singleOnGpu.down }],
          finalOut: unused,
        },
        rowsPerChunk: ROWS,
      });
      const modulation = {
        image: [makeModulation(d), makeModulation(d)] as const,
        text: [makeModulation(d), makeModulation(d)] as const,
        single: makeModulation(d),
      };
      const pair = ([a, b]: readonly [ModulationVectors, ModulationVectors]) =>
        [uploadModulation(gpu(), a), uploadModulation(gpu(), b)] as const;
      const set = {
        image: pair(modulation.image),
        text: pair(modulation.text),
        single: uploadModulation(gpu(), modulation.single),
        final: uploadModulation(gpu(), modulation.single),
      };
      const stream = (role: "text" | "target", values: Float32Array, positions: readonly PositionId[]): Stream => {
        const hidden = scope.matrix(role, "f32", ROWS, d, ROWS);
        writeMatrix(gpu().recorder, hidden, values);
        return { role, hidden, rotary: model.rotary(scope, positions.length, () => positions), modulation: set };
      };
      const positions = { text: textPositions(ROWS), image: targetPositions({ height: 4, width: 4 }) };
      const rotary = {
        text: tokenRotaryTable(positions.text, AXES, THETA),
        image: tokenRotaryTable(positions.image, AXES, THETA),
      };
      const inputs = { text: randomValues(ROWS * d, 21), image: randomValues(ROWS * d, 22) };
      const streams = [stream("text", inputs.text, positions.text), stream("target", inputs.image, positions.image)];
      const after: Record<string, readonly [Float32Array, Float32Array]> = {};
      await gpu().checked("blocks", () =>
        model.run(streams, {
          trace: async (block) => {
            after[block] = [
              await readMatrix(gpu().recorder, streams[0]!.hidden),
              await readMatrix(gpu().recorder, streams[1]!.hidden),
            ];
          },
        }),
      );
      await backend.dispose();

      const projected = {
        text: projectRows(inputs.text, rotary.text, weights.text, modulation.text[0], shape),
        image: projectRows(inputs.image, rotary.image, weights.image, modulation.image[0], shape),
      };
      const [keys, values] = [
        concatenate(projected.text.k, projected.image.k),
        concatenate(projected.text.v, projected.image.v),
      ];
      for (const [i, name] of (["text", "image"] as const).entries()) {
        const attended = attend(sample(projected[name].q, d), keys, values, shape);
        const [first, second] = modulation[name];
        const w = weights[name];
        const middle = addGated(sample(inputs[name], d), first.gate, packedLinear(attended, w.out.host));
        const mlp = gatedUnits(modulate(middle, second, shape.eps), w.gate.host, w.up.host);
        const expected = addGated(middle, second.gate, packedLinear(mlp, w.down.host));
        expectClose(sample(after["double.0"]![i]!, d), expected, TOLERANCE);
      }

      // the single block from its input on the GPU
      const joined = concatenate(...after["double.0"]!);
      const all = projectRows(joined, concatenate(rotary.text, rotary.image), single, modulation.single, shape);
      for (const [i, offset] of [0, ROWS].entries()) {
        const part = (x: Float32Array): Float32Array => sample(x.subarray(offset * d, (offset + ROWS) * d), d);
        const attended = attend(part(all.q), all.k, all.v, shape);
        const mlp = gatedUnits(modulate(part(joined), modulation.single, shape.eps), single.gate.host, single.up.host);
        const attentionBranch = packedLinear(attended, single.out.host);
        const branch = packedLinear(mlp, single.down.host).map((value, j) => value + attentionBranch[j]!);
        expectClose(
          sample(after["single.0"]![i]!, d),
          addGated(part(joined), modulation.single.gate, branch),
          TOLERANCE,
        );
      }
    });
  },
);
