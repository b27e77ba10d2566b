import { KleinbildError } from "../errors.ts";
import { type AdapterSummary, NO_ADAPTER, summarizeAdapter } from "./adapter.ts";
import { GpuMemory } from "./memory.ts";
import { PipelineCache, type PipelineVariant } from "./pipelines.ts";
import { Recorder } from "./recorder.ts";
import { StageClock } from "./stage-clock.ts";
import { createNullDevice, NO_LIMITS, nullAdapter, NullRecorder } from "./null-device.ts";
import type { ScalarType } from "./tensor.ts";
import { warmUp } from "./warm-up.ts";

export interface GpuOptions {
  readonly powerPreference?: "low-power" | "high-performance" | undefined;
  /** Branch activations in f32 even where the adapter has f16. */
  readonly forceF32?: boolean | undefined;
  /** Upper limit of all bindings in bytes, the dense backend's included. Tests use it to have matrices cut. */
  readonly maxBindingBytes?: number | undefined;
  /** Features that are not requested, as if the adapter did not have them. For tests. */
  readonly withoutFeatures?: readonly GpuFeature[] | undefined;
  /** Features that are requested in addition if the adapter has them. For measurements of features that no kernel uses yet. */
  readonly moreFeatures?: readonly GPUFeatureName[] | undefined;
  /** Upper limits of workgroup memory and invocations, for tests. WebGPU guarantees 16 KiB and 256. */
  readonly maxWorkgroupBytes?: number | undefined;
  readonly maxInvocations?: number | undefined;
}

/** A WebGPU feature that the engine uses where the adapter has it. */
export type GpuFeature = "shader-f16" | "subgroups" | "timestamp-query";
export const GPU_FEATURES: readonly GpuFeature[] = ["shader-f16", "subgroups", "timestamp-query"];
/** Limits that are raised to the adapter's. */
const LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupStorageSize",
] as const;

/** A device with the features and limits that the engine uses, its allocator, pipelines and recorder. */
export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterSummary;
  readonly memory: GpuMemory;
  readonly pipelines: PipelineCache;
  readonly recorder: Recorder;
  readonly clock: StageClock;
  /** Set when the device is lost for another reason than `destroy`. */
  lost: GPUDeviceLostInfo | undefined;

  private constructor(device: GPUDevice, adapter: AdapterSummary, RecorderClass: typeof Recorder = Recorder) {
    this.device = device;
    this.adapter = adapter;
    this.memory = new GpuMemory(device, adapter.maxBindingBytes);
    this.pipelines = new PipelineCache(device);
    this.recorder = new RecorderClass(device, this.memory, this.pipelines);
    this.memory.submitRecorded = () => this.recorder.flush();
    this.clock = new StageClock(device, this.memory, this.recorder);
    void device.lost.then((info) => {
      if (info.reason !== "destroyed") this.lost = info;
    });
  }

  /** @throws KleinbildError `no-webgpu` when there is no adapter. */
  static async open(gpu: GPU, options: GpuOptions = {}): Promise<Gpu> {
    const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
    if (!adapter) throw new KleinbildError("no-webgpu", NO_ADAPTER);
    const {
      withoutFeatures = [],
      moreFeatures = [],
      maxWorkgroupBytes = Infinity,
      maxInvocations = Infinity,
    } = options;
    const requiredFeatures = [
      ...GPU_FEATURES.filter((feature) => !withoutFeatures.includes(feature)),
      ...moreFeatures,
    ].filter((feature) => adapter.features.has(feature));
    const most: Partial<Record<(typeof LIMITS)[number], number>> = {
      maxComputeWorkgroupStorageSize: maxWorkgroupBytes,
      maxComputeInvocationsPerWorkgroup: maxInvocations,
      maxComputeWorkgroupSizeX: maxInvocations,
      maxComputeWorkgroupSizeY: maxInvocations,
    };
    const requiredLimits = Object.fromEntries(
      LIMITS.map((name) => [name, Math.min(most[name] ?? Infinity, adapter.limits[name])]),
    );
    const device = await adapter.requestDevice({ label: "kleinbild", requiredFeatures, requiredLimits });
    const maxBindingBytes = Math.min(options.maxBindingBytes ?? Infinity, device.limits.maxStorageBufferBindingSize);
    if (options.maxBindingBytes !== undefined) guardBindings(device, maxBindingBytes);
    const summary = summarizeAdapter(adapter, device.features);
    return new Gpu(device, { ...summary, f16: summary.f16 && !options.forceF32, maxBindingBytes });
  }

  /** The null device without an adapter: for planning memory where there is no model and no GPU yet. Nothing is dispatched. */
  static nullDevice(maxBindingBytes: number): Gpu {
    return new Gpu(createNullDevice({ limits: NO_LIMITS }), nullAdapter(maxBindingBytes), NullRecorder);
  }

  /** The null device in place of this one. A dry run on it collects the pipelines that a run needs (`pipelines.variants`). */
  onNullDevice(): Gpu {
    return new Gpu(createNullDevice(this.device), this.adapter);
  }

  /** Compiles pipelines before they are used. */
  async warmUp(variants: readonly PipelineVariant[], signal?: AbortSignal): Promise<void> {
    await warmUp(this, variants, signal);
  }

  /** The scalar type of branch activations. @throws KleinbildError `unsupported` for f16 where the adapter has none. */
  scalarType(wanted: ScalarType | undefined): ScalarType {
    if (wanted === "f16" && !this.adapter.f16)
      throw new KleinbildError(
        "unsupported",
        "dtype f16 needs the WebGPU feature shader-f16; this adapter has f32 only.",
      );
    return wanted ?? (this.adapter.f16 ? "f16" : "f32");
  }

  /**
   * Runs `work` inside error scopes.
   * @throws KleinbildError `gpu-validation`, `out-of-memory` or `device-lost`, with the GPU's message.
   */
  async checked<T>(stage: string, work: () => Promise<T>): Promise<T> {
    this.assertAlive(stage);
    for (const filter of ["internal", "out-of-memory", "validation"] as const) this.device.pushErrorScope(filter);
    let failure: unknown;
    let value: T | undefined;
    try {
      value = await work();
      this.recorder.flush();
    } catch (error) {
      failure = error;
      this.recorder.discard(); // the memory scopes of `work` have freed its buffers
    }
    const [validation, memory, internal] = await Promise.all([1, 2, 3].map(() => this.#popErrorScope()));
    this.assertAlive(stage);
    const error = memory ?? validation ?? internal;
    if (error) {
      const code = memory ? "out-of-memory" : "gpu-validation";
      throw new KleinbildError(
        code,
        `The GPU refused a command in ${stage}: ${error.message}`,
        { stage },
        { cause: failure },
      );
    }
    if (failure !== undefined) throw failure;
    return value as T;
  }

  /** @throws KleinbildError `device-lost` */
  assertAlive(stage: string): void {
    if (this.lost)
      throw new KleinbildError("device-lost", `The GPU was lost in ${stage}: ${this.lost.message}`, { stage });
  }

  /** Frees every buffer and the device. */
  destroy(): void {
    this.memory.destroy();
    this.device.destroy();
  }

  async #popErrorScope(): Promise<GPUError | null> {
    try {
      return await this.device.popErrorScope();
    } catch (error) {
      if (this.lost) return null; // a lost device has no scopes; assertAlive throws
      throw error;
    }
  }
}

/** Refuses bind groups above the limit, including those that onnxruntime creates. */
function guardBindings(device: GPUDevice, maxBindingBytes: number): void {
  const createBindGroup = device.createBindGroup.bind(device);
  device.createBindGroup = (descriptor) => {
    for (const { resource } of descriptor.entries) {
      const size = bindingBytes(resource);
      if (size > maxBindingBytes)
        throw new KleinbildError(
          "invalid-shape",
          `A binding of ${size} bytes (${descriptor.label ?? "unnamed"}) exceeds the limit of ${maxBindingBytes} bytes.`,
          { bytes: size, limit: maxBindingBytes },
        );
    }
    return createBindGroup(descriptor);
  };
}

/** Bytes of a buffer binding; 0 for other bindings. */
function bindingBytes(resource: GPUBindingResource): number {
  if ("buffer" in resource) return resource.size ?? resource.buffer.size - (resource.offset ?? 0);
  return "mapState" in resource ? resource.size : 0; // a whole buffer
}
