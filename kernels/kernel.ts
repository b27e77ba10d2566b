import blocks from "./include/blocks.wgsl?raw";
import laneSum from "./include/lane-sum.wgsl?raw";
import linear from "./include/linear.wgsl?raw";
import matmul from "./include/matmul.wgsl?raw";
import welford from "./include/welford.wgsl?raw";

/** How a kernel binds a buffer. */
type BindingAccess = "read" | "read_write";
export type ParameterType = "u32" | "i32" | "f32";

/**
 * What the engine knows of a kernel; a test reflects the WGSL and fails when the two differ.
 *
 * Group 0 holds the storage bindings in the order of `bindings` from binding 0 on, then one uniform struct with the
 * members of `parameters` in their order. The entry point is `main`.
 */
export interface Kernel {
  /** File name without `.wgsl`. */
  readonly name: string;
  /**
   * WGSL as on disk: the scalar type is `alias scalar = f32;`, that of a tensor which may be of another is
   * `alias outer = f32;`, shared functions are `//#include "name"`.
   */
  readonly source: string;
  readonly bindings: Readonly<Record<string, BindingAccess>>;
  readonly parameters: Readonly<Record<string, ParameterType>>;
  /** Pipeline-overridable constants with their defaults. */
  readonly overrides: Readonly<Record<string, number>>;
}

const INCLUDE_LINE = /^\/\/#include "(.*)"$/gm;

/** What kernels share: the files of `include/` by their names without `.wgsl`. */
export const INCLUDES: ReadonlyMap<string, string> = new Map([
  ["blocks", blocks],
  ["lane-sum", laneSum],
  ["linear", linear],
  ["matmul", matmul],
  ["welford", welford],
]);

/** What the aliases of a kernel stand for. */
export interface KernelTypes {
  readonly scalar: "f32" | "f16";
  readonly outer: "f32" | "f16";
}

/**
 * The WGSL of a kernel for its types, its includes in place.
 *
 * @throws Error when it includes a file that does not exist
 */
export function kernelSource(kernel: Pick<Kernel, "name" | "source">, types: KernelTypes): string {
  const source = kernel.source.replace(INCLUDE_LINE, (_line, name: string) => {
    const text = INCLUDES.get(name);
    if (text === undefined)
      throw new Error(
        `The kernel ${kernel.name} includes "${name}"; there is ${[...INCLUDES.keys()].join(", ")} only.`,
      );
    return text.trimEnd();
  });
  const narrow = (["scalar", "outer"] as const).filter((name) => types[name] === "f16");
  if (narrow.length === 0) return source;
  const aliased = narrow.reduce((text, name) => text.replace(`alias ${name} = f32;`, `alias ${name} = f16;`), source);
  return `enable f16;\n${aliased}`;
}
