import { Attention, type HeadMajor } from "../runtime/backend/attention.ts";
import { BACKENDS, type BackendName, type DenseBackend } from "../runtime/backend/backend.ts";
import { createBackend } from "../runtime/backend/create-backend.ts";
import type { Kernel2d, KernelLayout, Matrix, WeightFormat } from "../runtime/backend/matrix.ts";
import { OrtSessions } from "../runtime/backend/ort/sessions.ts";
import type { Gpu } from "../runtime/gpu/device.ts";
import type { MemoryScope } from "../runtime/gpu/memory.ts";
import type { ScalarType, Tensor } from "../runtime/gpu/tensor.ts";
import { f16ToF32, f32ToF16 } from "../runtime/weights/float.ts";
import { layOutKernel } from "../runtime/weights/kernel-layout.ts";
import { QUANTIZATION_BITS, QUANTIZATION_BLOCK, quantizeRows } from "../runtime/weights/quantize.ts";
import type { Roofline } from "./probes.ts";
import { median, quantile } from "./statistics.ts";

/** One operator on one of its implementations. */
export interface OperatorTiming {
  readonly name: BackendName;
  /** Median and quartiles. */
  readonly milliseconds: number;
  readonly spread: readonly [number, number];
  /** 10⁹ operations a second. */
  readonly gigaflops: number;
  /** Of what the adapter's multiply-adds reach in this type. */
  readonly rooflineShare: number;
}

export interface OperatorRow {
  readonly operator: string;
  readonly shape: string;
  readonly dtype: ScalarType;
  readonly timings: readonly OperatorTiming[];
  /** Time of `ort` by that of `wgsl`. */
  readonly speedUp: number;
}

/** An operator, ready to run on its buffers. */
interface Prepared {
  readonly operator: string;
  readonly shape: string;
  /** Two to a multiply-add. */
  readonly operations: number;
  readonly runs: Readonly<Record<BackendName, () => Promise<void>>>;
  readonly output: Tensor;
  /** Some results by their places, of the definition in f64. */
  readonly expected: ReadonlyMap<number, number>;
}

const FORMATS = ["plain", "q8", "q4"] as const;
/** Results of the definition that each output is compared with. */
const CHECKED = 24;
/** Share of the largest result that a sum may be off by. */
const TOLERANCE = { f32: 1e-4, f16: 2e-2 } as const;
/** Shapes of klein 4B, at 1024 tokens of a picture and 512 of text, and what of them a CPU does in the time. */
const SHAPES = {
  gpu: { width: 3072, tokens: 1536, heads: 24, channels: 128, side: 256 },
  software: { width: 1024, tokens: 512, heads: 3, channels: 64, side: 48 },
} as const;

/** Times the operators of klein 4B's shapes on both backends, in turn, on the same device and buffers. */
export async function measureOperators(
  gpu: Gpu,
  scalar: ScalarType,
  roofline: Roofline,
  repeats: number,
  onRow: (row: OperatorRow) => void,
): Promise<OperatorRow[]> {
  const { width, tokens, heads, channels, side } = SHAPES[gpu.adapter.software ? "software" : "gpu"];
  const backends = {
    ort: await createBackend("ort", gpu, scalar),
    wgsl: await createBackend("wgsl", gpu, scalar),
  };
  const sessions = await OrtSessions.create(gpu.device);
  const rows: OperatorRow[] = [];
  // sums are in f32 wherever that is faster
  const peak = scalar === "f16" ? Math.max(roofline.f32, roofline.f16 ?? 0) : roofline.f32;
  const cases: ((bench: Bench) => Prepared)[] = [
    ...FORMATS.map((format) => (bench: Bench) => bench.linear(format, tokens, width, width)),
    (bench) => bench.attention(sessions, heads, 128, tokens),
    (bench) => bench.convolution(channels, side),
  ];
  try {
    for (const prepare of cases) {
      const bench = new Bench(gpu, scalar, backends);
      const row = await bench.time(prepare(bench), peak, repeats);
      rows.push(row);
      onRow(row);
      bench.dispose();
    }
  } finally {
    for (const backend of Object.values(backends)) await backend.dispose();
    await sessions.dispose();
  }
  return rows;
}

/** Buffers of one operator, and the operator on both backends. */
class Bench {
  readonly #gpu: Gpu;
  readonly #scalar: ScalarType;
  readonly #backends: Readonly<Record<BackendName, DenseBackend>>;
  readonly #tensors: Tensor[] = [];
  readonly #scope: MemoryScope;
  #seed = 1;

  constructor(gpu: Gpu, scalar: ScalarType, backends: Readonly<Record<BackendName, DenseBackend>>) {
    this.#gpu = gpu;
    this.#scalar = scalar;
    this.#backends = backends;
    this.#scope = gpu.memory.scope();
  }

  linear(kind: (typeof FORMATS)[number], rows: number, columns: number, out: number): Prepared {
    const format: WeightFormat = kind === "plain" ? this.#scalar : kind;
    const x = this.#random(rows * columns);
    const [matrix, values] = this.#matrix(format, out, columns);
    const input = this.#upload([rows, columns], x);
    const output = this.#tensor([rows, out]);
    const run = (name: BackendName) => () =>
      this.#backends[name].project(this.#scope, input, { kind: "none" }, [matrix], [output]);
    return {
      operator: `linear, weights ${format}`,
      shape: `${rows} × ${columns} → ${out}`,
      operations: 2 * rows * columns * out,
      runs: { ort: run("ort"), wgsl: run("wgsl") },
      output,
      expected: places(rows * out, (at) => {
        const [row, column] = [Math.floor(at / out), at % out];
        let sum = 0;
        for (let k = 0; k < columns; k++) sum += x[row * columns + k]! * values[column * columns + k]!;
        return sum;
      }),
    };
  }

  /** Self-attention; onnxruntime's MultiHeadAttention takes what a linear layer gives, ours what `head-norm-rope` gives. */
  attention(sessions: OrtSessions, heads: number, headDim: number, tokens: number): Prepared {
    const width = heads * headDim;
    const qkv = [0, 1, 2].map(() => this.#random(tokens * width));
    const flat = qkv.map((values) => this.#upload([1, tokens, width], values));
    const scope = this.#scope;
    const attention = new Attention(this.#gpu, this.#scalar, {
      heads,
      kvHeads: heads,
      headDim,
      pairs: "adjacent",
      eps: 1e-6,
    });
    const [queries, keysValues] = [attention.queries(scope, tokens), attention.keysValues(scope, tokens)];
    this.#fillHeads(queries, [qkv[0]!], heads, headDim, tokens);
    this.#fillHeads(keysValues, [qkv[1]!, qkv[2]!], heads, headDim, tokens);
    const output = this.#tensor([tokens, width]);
    const out = { dtype: this.#scalar, rows: tokens, columns: width, rowsPerChunk: tokens, chunks: [output] };
    const type = this.#scalar === "f16" ? "float16" : "float32";
    const value = (name: string) => ({ name, type, shape: [1, tokens, width] }) as const;
    const graph = () => ({
      nodes: [
        {
          op: "MultiHeadAttention",
          domain: "com.microsoft" as const,
          inputs: ["q", "k", "v"],
          outputs: ["y"],
          attributes: { num_heads: heads },
        },
      ],
      inputs: ["q", "k", "v"].map(value),
      outputs: [value("y")],
    });
    const inputs = Object.fromEntries(["q", "k", "v"].map((name, i) => [name, { tensor: flat[i]! }]));
    return {
      operator: "attention",
      shape: `${heads} heads of ${headDim}, ${tokens} tokens`,
      operations: 4 * tokens * tokens * width,
      runs: {
        ort: async () => {
          this.#gpu.recorder.flush();
          await sessions.run("attention", graph, inputs, { y: { tensor: output, shape: [1, tokens, width] } });
        },
        wgsl: async () => attention.attend(queries, [{ keysValues, length: tokens }], out),
      },
      output,
      expected: places(tokens * width, (at) => attend(qkv, headDim, width, Math.floor(at / width), at % width)),
    };
  }

  convolution(channels: number, side: number): Prepared {
    const x = this.#random((side + 2) * side * channels);
    const weight = this.#random(channels * channels * 9).map((value) => value / channels);
    const bias = this.#random(channels);
    const input = this.#upload([1, side + 2, side, channels], x);
    const output = this.#tensor([1, side, side, channels]);
    const shape = { name: "bench", out: channels, in: channels, size: 3, bias: this.#upload([channels], bias) };
    const inLayout = (layout: KernelLayout): Kernel2d => {
      const laidOut = layOutKernel(weight, [channels, channels, 3], layout);
      return { ...shape, weight: this.#upload(laidOut.shape, laidOut.values) };
    };
    const kernels = { ort: inLayout("oihw"), wgsl: inLayout("ohwi") };
    const run = (name: BackendName) => () =>
      this.#backends[name].convolve(this.#scope, input, kernels[name], { stride: 1, padLeft: 1, padRight: 1 }, output);
    return {
      operator: "convolution 3 × 3",
      shape: `${side} × ${side}, ${channels} channels`,
      operations: 2 * side * side * channels * channels * 9,
      runs: { ort: run("ort"), wgsl: run("wgsl") },
      output,
      expected: places(side * side * channels, (at) => {
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
      }),
    };
  }

  async time(prepared: Prepared, peak: number, repeats: number): Promise<OperatorRow> {
    const times: Record<BackendName, number[]> = { ort: [], wgsl: [] };
    for (let round = -1; round < repeats; round++)
      for (const name of BACKENDS) {
        if (round < 0) this.#gpu.recorder.clear(prepared.output);
        await this.#gpu.recorder.settle();
        const started = performance.now();
        await prepared.runs[name]();
        await this.#gpu.recorder.settle();
        if (round >= 0) times[name].push(performance.now() - started);
        else await this.#check(prepared, name);
      }
    const timings = BACKENDS.map((name): OperatorTiming => {
      const milliseconds = median(times[name]);
      const gigaflops = prepared.operations / milliseconds / 1e6;
      const spread = [quantile(times[name], 0.25), quantile(times[name], 0.75)] as const;
      return { name, milliseconds, spread, gigaflops, rooflineShare: gigaflops / peak };
    });
    const { operator, shape } = prepared;
    return { operator, shape, dtype: this.#scalar, timings, speedUp: median(times.ort) / median(times.wgsl) };
  }

  dispose(): void {
    this.#scope.dispose();
    this.#gpu.memory.freeTensors(...this.#tensors);
  }

  /** What is wrong is not timed. @throws Error that names the operator */
  async #check({ operator, output, expected }: Prepared, name: BackendName): Promise<void> {
    const bytes = await this.#gpu.recorder.read(output);
    const values = output.dtype === "f16" ? f16ToF32(new Uint16Array(bytes)) : new Float32Array(bytes);
    const largest = Math.max(...[...expected.values()].map(Math.abs));
    for (const [at, value] of expected)
      if (!(Math.abs(values[at]! - value) <= TOLERANCE[this.#scalar] * largest))
        throw new Error(`${operator} on ${name} gives ${values[at]} where ${value} is right.`);
  }

  #matrix(format: WeightFormat, out: number, columns: number): [Matrix, Float32Array] {
    const values = this.#random(out * columns);
    const piece = { firstRow: 0, rows: out };
    const matrix = { name: "bench", out, in: columns, format };
    if (format === "f32" || format === "f16")
      return [{ ...matrix, pieces: [{ ...piece, values: this.#upload([out, columns], values) }] }, values];
    const bits = QUANTIZATION_BITS[format];
    const { packed, scales } = quantizeRows(values, out, columns, bits);
    const codes = this.#gpu.memory.tensor("activations", "bench codes", "u8", [
      out,
      columns / QUANTIZATION_BLOCK,
      4 * bits,
    ]);
    this.#tensors.push(codes);
    this.#gpu.recorder.write(codes, packed);
    const rounded = this.#rounded(scales);
    const restored = values.map((_, i) => {
      const code = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (4 * (i & 1))) & 15;
      return (code - 2 ** (bits - 1)) * rounded[i >> 5]!;
    });
    const onGpu = { ...piece, values: codes, scales: this.#upload([scales.length], rounded) };
    return [{ ...matrix, pieces: [onGpu] }, restored];
  }

  /** [rows, heads · d] each as [parts, heads, rows, d], cut into groups of heads. */
  #fillHeads(target: HeadMajor, parts: readonly Float32Array[], heads: number, d: number, rows: number): void {
    const perGroup = heads / target.groups.length;
    target.groups.forEach((tensor, group) => {
      const values = new Float32Array(parts.length * perGroup * rows * d);
      parts.forEach((part, p) => {
        for (let h = 0; h < perGroup; h++)
          for (let row = 0; row < rows; row++) {
            const from = (row * heads + group * perGroup + h) * d;
            values.set(part.subarray(from, from + d), ((p * perGroup + h) * rows + row) * d);
          }
      });
      this.#gpu.recorder.write(tensor, this.#scalar === "f16" ? f32ToF16(values) : values);
    });
  }

  #tensor(shape: readonly number[]): Tensor {
    const tensor = this.#gpu.memory.tensor("activations", "bench", this.#scalar, shape);
    this.#tensors.push(tensor);
    return tensor;
  }

  #upload(shape: readonly number[], values: Float32Array<ArrayBuffer>): Tensor {
    const tensor = this.#tensor(shape);
    this.#gpu.recorder.write(tensor, this.#scalar === "f16" ? f32ToF16(values) : values);
    return tensor;
  }

  /** Numbers of −1 … 1 that the scalar type has. */
  #random(count: number): Float32Array<ArrayBuffer> {
    let state = this.#seed++;
    return this.#rounded(
      Float32Array.from({ length: count }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 31 - 1;
      }),
    );
  }

  #rounded(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    return this.#scalar === "f16" ? f16ToF32(f32ToF16(values)) : values;
  }
}

/** Some places of an output, the first and the last among them, with what belongs there. */
function places(count: number, valueAt: (at: number) => number): ReadonlyMap<number, number> {
  return new Map(
    Array.from({ length: CHECKED }, (_, i) => {
      const at = Math.round(((count - 1) * i) / (CHECKED - 1));
      return [at, valueAt(at)] as const;
    }),
  );
}

/** Softmax(q kᵀ / √d) v of one query and channel. */
function attend(qkv: readonly Float32Array[], d: number, width: number, query: number, column: number): number {
  const [queries, keys, values] = qkv as readonly [Float32Array, Float32Array, Float32Array];
  const head = Math.floor(column / d) * d;
  const scores: number[] = [];
  for (let key = 0; key < keys.length / width; key++) {
    let score = 0;
    for (let c = head; c < head + d; c++) score += queries[query * width + c]! * keys[key * width + c]!;
    scores.push(score / Math.sqrt(d));
  }
  const most = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, weight, key) => sum + (weight / total) * values[key * width + column]!, 0);
}
