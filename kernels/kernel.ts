import blocks from "./include/blocks.wgsl?raw";
import laneSum from "./include/lane-sum.wgsl?raw";
import linear from "./include/linear.wgsl?raw";
import matmul from "./include/matmul.wgsl?raw";
import welford from "./include/welford.wgsl?raw";

/** How a kernel binds a buffer. */
type BindingAccess = "read" | "read_write";
export type ParameterType = "u32" | "i32" | "f32";

/**
 * A kernel and its interface, which `npm run kernels` takes from the WGSL.
 *
 * Group 0 holds the storage bindings in the order of `bindings` from binding 0 on, then one uniform struct with the
 * members of `parameters` in their order. The entry point is `main`.
 */
export interface Kernel {
  /** File name without `.wgsl`. */
  readonly name: string;
  /**
   * WGSL as on disk. `alias scalar = f32;` and `alias residual = f32;` stand for the types in `KernelTypes`,
   * `//#include "name"` for a file of include/.
   */
  readonly source: string;
  /** Invocations of a workgroup: a number, or a WGSL expression of overrides. */
  readonly workgroupSize: number | string;
  readonly bindings: Readonly<Record<string, BindingAccess>>;
  readonly parameters: Readonly<Record<string, ParameterType>>;
  /** Pipeline-overridable constants with their defaults. */
  readonly overrides: Readonly<Record<string, number>>;
}

const INCLUDE_LINE = /^\/\/#include "(.*)"$/gm;

/** Shared WGSL: the files of `include/` by their names without `.wgsl`. */
export const INCLUDES: ReadonlyMap<string, string> = new Map([
  ["blocks", blocks],
  ["lane-sum", laneSum],
  ["linear", linear],
  ["matmul", matmul],
  ["welford", welford],
]);

/** The types behind the aliases of a kernel. */
export interface KernelTypes {
  /** Of branch activations, in which products are computed. */
  readonly scalar: "f32" | "f16";
  /** Of the tensor that can be the residual stream: the input of a norm, or the output of a linear layer. */
  readonly residual: "f32" | "f16";
}

/**
 * The WGSL of a kernel with its types and includes filled in.
 *
 * @throws Error when it includes a file that does not exist
 */
export function kernelSource(kernel: Pick<Kernel, "name" | "source">, types: KernelTypes): string {
  const source = kernel.source.replace(INCLUDE_LINE, (_line, name: string) => {
    const text = INCLUDES.get(name);
    if (text === undefined)
      throw new Error(
        `The kernel ${kernel.name} includes "${name}"; the includes are ${[...INCLUDES.keys()].join(", ")}.`,
      );
    return text.trimEnd();
  });
  const narrow = (["scalar", "residual"] as const).filter((name) => types[name] === "f16");
  if (narrow.length === 0) return source;
  const aliased = narrow.reduce((text, name) => text.replace(`alias ${name} = f32;`, `alias ${name} = f16;`), source);
  return `enable f16;\n${aliased}`;
}
