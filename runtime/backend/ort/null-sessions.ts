import type { Gpu } from "../../gpu/device.ts";
import { type DType, tensorBytes } from "../../gpu/tensor.ts";
import type { OnnxGraph, OnnxNode } from "./onnx.ts";
import type { Operand } from "./sessions.ts";

/**
 * Sizes to which onnxruntime rounds the buffers of intermediate values up. It keeps these buffers for its next runs until
 * its last session is released (`BUCKET_DEFAULT_LIMIT_TABLE` in its buffer_manager.cc, 1.30).
 */
const BUCKETS = [
  64, 128, 256, 512, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152,
  4_194_304, 8_388_608, 12_582_912, 16_777_216, 26_214_400, 33_554_432, 44_236_800, 58_982_400, 67_108_864, 134_217_728,
  167_772_160,
] as const;
/** Buffers above the largest bucket do not stay, and their sizes are multiples of this. */
const LARGE_UNIT = 16;
/** Uniforms and scalar constants of its sessions: some tens of bytes for each kernel of each graph. */
const SMALL_BUFFERS_BYTES = 16_384;
const STORAGE_USAGE = 0x80;

type Operands = Readonly<Record<string, Operand>>;

/** Type and shape of a value of a graph. */
interface Value {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * onnxruntime's sessions on the null device. A run computes nothing, and takes the memory that onnxruntime would take on the
 * device: buffers for the values between the nodes of its graph.
 */
export class NullSessions {
  readonly #device: GPUDevice;
  /** Buffers of each bucket. */
  readonly #pool = new Map<number, GPUBuffer[]>();
  /** By graph and shape of the rows: bytes of the buffers that do not stay in the pool. */
  readonly #large = new Map<string, readonly number[]>();

  constructor({ device }: Gpu) {
    this.#device = device;
  }

  /** All intermediate values are there until the run's submission is over. */
  async run(key: string, build: () => OnnxGraph, inputs: Operands): Promise<void> {
    if (this.#pool.size === 0) this.#pool.set(0, [this.#allocate(SMALL_BUFFERS_BYTES)]);
    const rows = Object.values(inputs)[0]?.tensor.shape; // the key has the shapes of weights
    const id = `${key} ${rows}`;
    let large = this.#large.get(id);
    if (!large) {
      large = this.#growPool(intermediateBytes(build(), inputs));
      this.#large.set(id, large);
    }
    const buffers = large.map((bytes) => this.#allocate(bytes));
    for (const buffer of buffers) buffer.destroy();
  }

  async dispose(): Promise<void> {
    for (const buffers of this.#pool.values()) for (const buffer of buffers) buffer.destroy();
    this.#pool.clear();
    this.#large.clear();
  }

  /** Makes room for values of these sizes at once. @returns bytes of those that are above the largest bucket */
  #growPool(values: readonly number[]): readonly number[] {
    const large: number[] = [];
    const wanted = new Map<number, number>();
    for (const bytes of values) {
      const bucket = BUCKETS.find((size) => size >= bytes);
      if (bucket === undefined) large.push(Math.ceil(bytes / LARGE_UNIT) * LARGE_UNIT);
      else wanted.set(bucket, (wanted.get(bucket) ?? 0) + 1);
    }
    for (const [bucket, count] of wanted) {
      const buffers = this.#pool.get(bucket) ?? [];
      while (buffers.length < count) buffers.push(this.#allocate(bucket));
      this.#pool.set(bucket, buffers);
    }
    return large;
  }

  /** Counted as onnxruntime's, like every buffer that does not come from `GpuMemory`. */
  #allocate(size: number): GPUBuffer {
    return this.#device.createBuffer({ size, usage: STORAGE_USAGE });
  }
}

/** Bytes of each value that a run of `graph` allocates beside its outputs. */
function intermediateBytes({ nodes, outputs }: OnnxGraph, inputs: Operands): readonly number[] {
  const values = new Map<string, Value>(Object.entries(inputs).map(([name, { tensor }]) => [name, tensor]));
  const given = new Set(outputs.map(({ name }) => name));
  const bytes: number[] = [];
  for (const node of nodes) {
    const value = resultOf(
      node,
      node.inputs.map((name) => values.get(name)!),
    );
    const name = node.outputs[0]!;
    values.set(name, value);
    if (node.op === "Conv") {
      const { dtype, shape } = values.get(node.inputs[1]!)!;
      bytes.push(tensorBytes(dtype, shape)); // its kernel takes the weight channels last, laid out again in each run
    } else if (!given.has(name) && !isInPlace(node)) bytes.push(tensorBytes(value.dtype, value.shape));
  }
  return bytes;
}

/** Whether the result needs no buffer: it overwrites the input, or the node becomes part of its neighbour. */
const isInPlace = ({ op }: OnnxNode): boolean => op === "QuickGelu" || op === "Transpose";

/** Type and shape of a node's result, for the operators of the dense graphs. The result of a convolution does not matter. */
function resultOf({ op, attributes }: OnnxNode, [first, second]: readonly Value[]): Value {
  const { dtype, shape } = first!;
  switch (op) {
    case "Cast":
      return { dtype: attributes!["to"] === 10 ? "f16" : "f32", shape };
    case "Gemm":
      return { dtype, shape: [shape[0]!, second!.shape[0]!] };
    case "MatMulNBits":
      return { dtype, shape: [shape[0]!, attributes!["N"] as number] };
    default:
      return first!;
  }
}
