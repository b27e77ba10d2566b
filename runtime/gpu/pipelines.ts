import { type Kernel, kernelSource } from "../../kernels/kernel.ts";
import type { ScalarType } from "./tensor.ts";

/** One cache of compute pipelines, by kernel, scalar type and overrides. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get(kernel: Kernel, scalar: ScalarType, overrides: Readonly<Record<string, number>>): GPUComputePipeline {
    const key = `${kernel.name} ${scalar} ${Object.entries(overrides).join(" ")}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#device.createComputePipeline({
        label: key,
        layout: "auto",
        compute: {
          module: this.#module(kernel, scalar),
          entryPoint: "main",
          constants: { ...kernel.overrides, ...overrides },
        },
      });
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  #module(kernel: Kernel, scalar: ScalarType): GPUShaderModule {
    const key = `${kernel.name} ${scalar}`;
    let module = this.#modules.get(key);
    if (!module) {
      module = this.#device.createShaderModule({ label: key, code: kernelSource(kernel, scalar) });
      this.#modules.set(key, module);
    }
    return module;
  }
}
