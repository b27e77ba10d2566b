import { kernelSource } from "../../kernels/kernel.ts";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { BYTES_PER_ELEMENT, type ScalarType } from "../../runtime/gpu/tensor.ts";
import { f16ToF32 } from "../../runtime/weights/float.ts";
import copySource from "./probes/copy.wgsl?raw";
import dotSource from "./probes/dot.wgsl?raw";
import fmaSource from "./probes/fma.wgsl?raw";
import workgroupSource from "./probes/workgroup.wgsl?raw";
import { median } from "../statistics.ts";
import { wake } from "../wake.ts";

/** Measured limits of an adapter. */
export interface Roofline {
  /** 10⁹ operations per second. A multiply-add counts as two. */
  readonly f32: number;
  /** As `f32`; absent if the adapter does not support f16. */
  readonly f16?: number;
  /** 10⁹ operations per second of `dot4I8Packed`; absent if WGSL does not have it. */
  readonly dot?: number;
  /** 10⁹ bytes per second that all lanes read from workgroup memory. */
  readonly workgroup: number;
  /** 10⁹ bytes per second, read and written. */
  readonly copy: number;
  /** Microseconds of an almost empty dispatch, in a pass of many. */
  readonly dispatchMicroseconds: number;
}

const UNIFORM_USAGE = 0x40 | 0x08; // UNIFORM | COPY_DST
const LANES = 64;
/** Bytes that a workgroup copies: 256 lanes of 16 bytes. */
const COPY_BYTES_OF_GROUP = 4096;
/** Workgroups and copied bytes: enough to occupy a CPU, or a GPU beyond its caches. */
const ON_CPU = { groups: 256, copyBytes: 16 << 20 } as const;
const ON_GPU = { groups: 4096, copyBytes: 128 << 20 } as const;
const FIRST_COUNT = 16;
const WAKING_TURNS = 4096;
const MOST_COUNT = 2 ** 24;
/** Each probe is repeated until it takes this long, so that its start and end do not matter. */
const TARGET_MS = 30;
/** Limits the growth from one try to the next. */
const MOST_GROWTH = 64;
const REPEATS = 5;

/** Measures the adapter. Takes a second or two. */
export async function measureRoofline(gpu: Gpu): Promise<Roofline> {
  const probe = new Probe(gpu);
  try {
    const lanes = LANES * probe.groups;
    const fma = probe.pipeline("fma", fmaSource);
    await wake(gpu, () => probe.time(fma, probe.groups, { turns: WAKING_TURNS }));
    const copyGroups = probe.copyBytes / COPY_BYTES_OF_GROUP;
    const hasDot = navigator.gpu?.wgslLanguageFeatures?.has("packed_4x8_integer_dot_product") ?? true;
    const [f16, dot] = [
      gpu.adapter.f16 ? await probe.rate(probe.pipeline("fma", fmaSource, "f16"), lanes * 2 * 4 * 12) : undefined,
      hasDot ? await probe.rate(probe.pipeline("dot", dotSource), lanes * 2 * 4 * 8) : undefined,
    ];
    return {
      f32: await probe.rate(fma, lanes * 2 * 4 * 12),
      ...(f16 === undefined ? {} : { f16 }),
      ...(dot === undefined ? {} : { dot }),
      workgroup: await probe.rate(probe.pipeline("workgroup", workgroupSource), lanes * 4 * 16),
      copy: (2 * probe.copyBytes) / (await probe.dispatchTime(probe.pipeline("copy", copySource), copyGroups)) / 1e6,
      dispatchMicroseconds: 1000 * (await probe.dispatchTime(probe.pipeline("copy", copySource), 1)),
    };
  } finally {
    probe.dispose();
  }
}

/** Times kernels. They bind a buffer to read, a buffer to write and, if they loop, the number of turns. */
export class Probe {
  /** Workgroups of a dispatch that measures a rate. */
  readonly groups: number;
  readonly copyBytes: number;
  readonly #gpu: Gpu;
  /** The buffer to read and the buffer to write. */
  readonly #buffers: readonly GPUBuffer[];
  readonly #turns: GPUBuffer;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    ({ groups: this.groups, copyBytes: this.copyBytes } = gpu.adapter.software ? ON_CPU : ON_GPU);
    this.#buffers = ["x", "y"].map((name) => gpu.memory.allocate("activations", `probe ${name}`, this.copyBytes));
    this.#turns = gpu.memory.allocate("activations", "probe turns", 4, UNIFORM_USAGE);
  }

  dispose(): void {
    for (const buffer of [...this.#buffers, this.#turns]) this.#gpu.memory.free(buffer);
  }

  pipeline(name: string, source: string, scalar: ScalarType = "f32"): GPUComputePipeline {
    const { device } = this.#gpu;
    const code = kernelSource({ name, source }, { scalar, residual: scalar });
    const module = device.createShaderModule({ label: `probe ${name}`, code });
    return device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  }

  /** 10⁹ per second of something that all lanes together do `perTurn` times per turn. */
  async rate(pipeline: GPUComputePipeline, perTurn: number): Promise<number> {
    const [turns, milliseconds] = await longEnough((count) => this.time(pipeline, this.groups, { turns: count }));
    return (perTurn * turns) / milliseconds / 1e6;
  }

  /** Milliseconds of a dispatch, in a pass of many. */
  async dispatchTime(pipeline: GPUComputePipeline, groups: number): Promise<number> {
    const [dispatches, milliseconds] = await longEnough((count) => this.time(pipeline, groups, { dispatches: count }));
    return milliseconds / dispatches;
  }

  /** The last element that a kernel writes. */
  async lastOutput(pipeline: GPUComputePipeline, dtype: ScalarType): Promise<number> {
    await this.time(pipeline, 1, { turns: 1 });
    const count = this.copyBytes / BYTES_PER_ELEMENT[dtype];
    const bytes = await this.#gpu.recorder.read({ buffer: this.#buffers[1]!, dtype, shape: [count] });
    return dtype === "f16" ? f16ToF32(new Uint16Array(bytes, this.copyBytes - 2))[0]! : new Float32Array(bytes).at(-1)!;
  }

  /** Milliseconds of all dispatches, as the median of several rounds after a warm-up round. */
  async time(
    pipeline: GPUComputePipeline,
    groups: number,
    { dispatches = 1, turns }: { readonly dispatches?: number; readonly turns?: number } = {},
  ): Promise<number> {
    const { device, clock } = this.#gpu;
    if (turns !== undefined) device.queue.writeBuffer(this.#turns, 0, Uint32Array.of(turns));
    const buffers = turns === undefined ? this.#buffers : [...this.#buffers, this.#turns];
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const times: number[] = [];
    for (let round = -1; round < REPEATS; round++) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(groups);
      pass.end();
      clock.reset();
      await clock.time("probe", async () => device.queue.submit([encoder.finish()]));
      const milliseconds = (await clock.collect())["probe"]!;
      if (round >= 0) times.push(milliseconds);
    }
    return median(times);
  }
}

/** Finds a count that takes about `TARGET_MS`. */
async function longEnough(
  time: (count: number) => Promise<number>,
): Promise<readonly [count: number, milliseconds: number]> {
  let count = FIRST_COUNT;
  for (;;) {
    const milliseconds = await time(count);
    if (milliseconds >= TARGET_MS / 2 || count === MOST_COUNT) return [count, milliseconds];
    const growth = Math.min(MOST_GROWTH, TARGET_MS / Math.max(milliseconds, TARGET_MS / MOST_GROWTH));
    count = Math.min(MOST_COUNT, Math.ceil(count * growth));
  }
}
