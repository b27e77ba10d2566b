import { type Kernel, kernelSource, type KernelTypes } from "../../kernels/kernel.ts";

/** A kernel with the types and overrides that it is compiled with. */
export interface PipelineVariant {
  readonly kernel: Kernel;
  readonly types: KernelTypes;
  readonly overrides: Readonly<Record<string, number>>;
}

/** Compute pipelines by kernel, types and overrides. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #variants = new Map<string, PipelineVariant>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The variants that `get` has returned so far. */
  get variants(): readonly PipelineVariant[] {
    return [...this.#variants.values()];
  }

  get(kernel: Kernel, types: KernelTypes, overrides: Readonly<Record<string, number>>): GPUComputePipeline {
    const variant = { kernel, types, overrides };
    const key = variantKey(variant);
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) {
      this.#variants.set(key, variant);
      pipeline = this.#device.createComputePipeline(this.#descriptor(variant));
      this.#pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  /**
   * Compiles the variants that are missing, all at once.
   * @returns the new pipelines. A variant that does not compile is left out; `get` then produces the GPU error.
   */
  async prepare(
    variants: readonly PipelineVariant[],
  ): Promise<readonly (PipelineVariant & { readonly pipeline: GPUComputePipeline })[]> {
    const missing = variants.filter((variant) => !this.#pipelines.has(variantKey(variant)));
    const compiled = await Promise.allSettled(
      missing.map((variant) => this.#device.createComputePipelineAsync(this.#descriptor(variant))),
    );
    return compiled.flatMap((result, i) => {
      if (result.status === "rejected") return [];
      const variant = missing[i]!;
      this.#pipelines.set(variantKey(variant), result.value);
      return [{ ...variant, pipeline: result.value }];
    });
  }

  #descriptor(variant: PipelineVariant): GPUComputePipelineDescriptor {
    const { kernel, types, overrides } = variant;
    return {
      label: variantKey(variant),
      layout: "auto",
      compute: {
        module: this.#module(kernel, types),
        entryPoint: "main",
        constants: { ...kernel.overrides, ...overrides },
      },
    };
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

function variantKey({ kernel, types, overrides }: PipelineVariant): string {
  return `${moduleKey(kernel, types)} ${Object.entries(overrides).join(" ")}`;
}

function moduleKey({ name }: Kernel, { scalar, residual }: KernelTypes): string {
  return `${name} ${scalar} ${residual}`;
}
