import type { Kernel, ParameterType } from "../../kernels/kernel.ts";
import { KleinbildError } from "../errors.ts";
import type { GpuMemory } from "./memory.ts";
import type { PipelineCache } from "./pipelines.ts";
import { elementCount, type ScalarType, type Tensor, tensorBytes } from "./tensor.ts";
import { WorkMeter } from "./work-meter.ts";
import { MAX_WORKGROUPS } from "./workgroups.ts";

const PARAMETER_SLOT_BYTES = 256;
const PARAMETER_SLOTS = 256;
const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST
const READBACK_USAGE = 0x01 | 0x08; // MAP_READ | COPY_DST
const MAP_READ = 0x01;
const THROTTLE_LAG = 2;

export interface DispatchCall<K extends Kernel> {
  readonly bindings: Readonly<Record<keyof K["bindings"] & string, Tensor>>;
  readonly parameters: Readonly<Record<keyof K["parameters"] & string, number>>;
  readonly overrides?: Readonly<Partial<Record<keyof K["overrides"] & string, number>>>;
  /** Scalar type of the kernel's `alias scalar`; f32 unless given. */
  readonly scalar?: ScalarType;
  /** Type of the kernel's `alias residual`; f32 unless given. */
  readonly residual?: ScalarType;
  /** Workgroups in x, y and z. */
  readonly grid: readonly [number, number?, number?];
  /** Multiply-adds of this dispatch, for splitting submissions by time; 0 for memory-bound kernels. */
  readonly work?: number;
}

/**
 * Records kernels and copies in order and submits them in slices of about `SUBMIT_TARGET_MS`. Code that submits on the same
 * queue by other means (onnxruntime) must call `flush` before.
 */
export class Recorder {
  readonly #device: GPUDevice;
  readonly #memory: GpuMemory;
  readonly #pipelines: PipelineCache;
  readonly #parameters: GPUBuffer;
  readonly #parameterData = new DataView(new ArrayBuffer(PARAMETER_SLOTS * PARAMETER_SLOT_BYTES));
  readonly meter: WorkMeter;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #slots = 0;
  readonly #inFlight: Promise<undefined>[] = [];

  constructor(
    device: GPUDevice,
    memory: GpuMemory,
    pipelines: PipelineCache,
    meter: WorkMeter = new WorkMeter(device.queue),
  ) {
    this.#device = device;
    this.#memory = memory;
    this.#pipelines = pipelines;
    this.#parameters = memory.allocate(
      "transfer",
      "kernel parameters",
      PARAMETER_SLOTS * PARAMETER_SLOT_BYTES,
      UNIFORM_USAGE,
    );
    this.meter = meter;
  }

  /** Records one dispatch of a kernel. */
  dispatch<K extends Kernel>(kernel: K, call: DispatchCall<K>): void {
    const [x, y = 1, z = 1] = call.grid;
    if (x === 0 || y === 0 || z === 0) return;
    if (Math.max(x, y, z) > MAX_WORKGROUPS)
      throw new KleinbildError(
        "invalid-shape",
        `${kernel.name}: a grid of ${x} x ${y} x ${z} workgroups exceeds the limit of ${MAX_WORKGROUPS}.`,
      );
    const pipeline = this.#pipelines.get(
      kernel,
      { scalar: call.scalar ?? "f32", residual: call.residual ?? "f32" },
      (call.overrides ?? {}) as Record<string, number>,
    );
    const entries: GPUBindGroupEntry[] = Object.keys(kernel.bindings).map((name, binding) => {
      const tensor = call.bindings[name as keyof K["bindings"] & string];
      const size = tensorBytes(tensor.dtype, tensor.shape);
      this.#memory.assertBindable(`${kernel.name}.${name}`, size);
      return { binding, resource: { buffer: tensor.buffer, offset: 0, size } };
    });
    const slot = this.#writeParameters(kernel.parameters, call.parameters); // last, so that an error before takes no slot
    entries.push({
      binding: entries.length,
      resource: { buffer: this.#parameters, offset: slot * PARAMETER_SLOT_BYTES, size: PARAMETER_SLOT_BYTES },
    });
    const group = this.#device.createBindGroup({ label: kernel.name, layout: pipeline.getBindGroupLayout(0), entries });
    this.#pass ??= this.#commands().beginComputePass({ label: kernel.name });
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, group);
    this.#pass.dispatchWorkgroups(x, y, z);
    this.meter.add(call.work ?? 0);
    if (this.meter.due) this.flush();
  }

  /** Copies `count` elements between tensors of one scalar type; offsets in elements, all multiples of four bytes. */
  copy(source: Tensor, sourceOffset: number, target: Tensor, targetOffset: number, count: number): void {
    const size = source.dtype === "f16" ? 2 : source.dtype === "u8" ? 1 : 4;
    this.#endPass();
    this.#commands().copyBufferToBuffer(
      source.buffer,
      sourceOffset * size,
      target.buffer,
      targetOffset * size,
      count * size,
    );
  }

  /** Fills a tensor with zeros. */
  clear(target: Tensor): void {
    this.#endPass();
    this.#commands().clearBuffer(target.buffer, 0, tensorBytes(target.dtype, target.shape));
  }

  /** Writes host values into a tensor, after everything recorded so far. @param values  values, or a function that computes them: a dry run does not call it */
  write(target: Tensor, values: ArrayBufferView | (() => ArrayBufferView), byteOffset = 0): void {
    this.flush();
    const computed = typeof values === "function" ? values() : values;
    this.#device.queue.writeBuffer(target.buffer, byteOffset, computed as ArrayBufferView<ArrayBuffer>);
  }

  /** Submits the recorded commands. */
  flush(): void {
    this.#endPass();
    const bytes = this.#slots * PARAMETER_SLOT_BYTES;
    this.#slots = 0;
    if (!this.#encoder) return;
    if (bytes > 0) this.#device.queue.writeBuffer(this.#parameters, 0, this.#parameterData.buffer, 0, bytes);
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.meter.submitted();
  }

  /** Drops recorded commands after an error: their buffers may be gone. */
  discard(): void {
    this.#pass = undefined;
    this.#encoder = undefined;
    this.#slots = 0;
    this.meter.discarded();
  }

  /** Submits and waits until the GPU is idle. */
  async settle(): Promise<void> {
    this.flush();
    await this.#device.queue.onSubmittedWorkDone();
  }

  /** Submits, and keeps the host at most `THROTTLE_LAG` calls ahead of the GPU, so that an abort takes effect soon. */
  async throttle(): Promise<void> {
    this.flush();
    this.#inFlight.push(this.#device.queue.onSubmittedWorkDone());
    if (this.#inFlight.length > THROTTLE_LAG) await this.#inFlight.shift();
  }

  /** The values of an f32 tensor. */
  async readF32(tensor: Tensor): Promise<Float32Array<ArrayBuffer>> {
    return new Float32Array(await this.read(tensor), 0, elementCount(tensor.shape));
  }

  /** The bytes of a tensor. */
  async read(tensor: Tensor): Promise<ArrayBuffer> {
    const bytes = tensorBytes(tensor.dtype, tensor.shape);
    const staging = this.#memory.allocate("transfer", "readback", bytes, READBACK_USAGE);
    try {
      this.#endPass();
      this.#commands().copyBufferToBuffer(tensor.buffer, 0, staging, 0, bytes);
      this.flush();
      await staging.mapAsync(MAP_READ);
      const copy = staging.getMappedRange().slice(0);
      staging.unmap();
      return copy;
    } finally {
      this.#memory.free(staging);
    }
  }

  #commands(): GPUCommandEncoder {
    this.#encoder ??= this.#device.createCommandEncoder({ label: "recorder" });
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #writeParameters(types: Readonly<Record<string, ParameterType>>, values: Readonly<Record<string, number>>): number {
    if (this.#slots === PARAMETER_SLOTS) this.flush();
    let offset = this.#slots * PARAMETER_SLOT_BYTES;
    for (const [name, type] of Object.entries(types)) {
      const value = values[name];
      if (value === undefined) throw new KleinbildError("internal", `The kernel parameter ${name} is missing.`);
      if (type === "f32") this.#parameterData.setFloat32(offset, value, true);
      else if (type === "i32") this.#parameterData.setInt32(offset, value, true);
      else this.#parameterData.setUint32(offset, value, true);
      offset += 4;
    }
    return this.#slots++;
  }
}
