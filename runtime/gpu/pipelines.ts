import { type Kernel, kernelSource, type KernelTypes } from "../../kernels/kernel.ts";

/** One cache of compute pipelines, by kernel, types and overrides. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #pipelines = new Map<string, GPUComputePipeline>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  get(kernel: Kernel, types: KernelTypes, overrides: Readonly<Record<string, number>>): GPUComputePipeline {
    const key = `${moduleKey(kernel, types)} ${Object.entries(overrides).join(" ")}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      pipeline = this.#device.createComputePipeline({
        label: key,
        layout: "auto",
        compute: {
          module: this.#module(kernel, types),
          entryPoint: "main",
          constants: { ...kernel.overrides, ...overrides },
        },
      });
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  #module(kernel: Kernel, types: KernelTypes): GPUShaderModule {
    const key = moduleKey(kernel, types);
    let module = this.#modules.get(key);
    if (!module) {
      module = this.#device.createShaderModule({ label: key, code: kernelSource(kernel, types) });
      this.#modules.set(key, module);
    }
    return module;
  }
}

function moduleKey({ name }: Kernel, { scalar, outer }: KernelTypes): string {
  return `${name} ${scalar} ${outer}`;
}
