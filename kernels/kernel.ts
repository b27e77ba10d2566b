import blocks from "./include/blocks.wgsl?raw";
import welford from "./include/welford.wgsl?raw";

/** How a kernel binds a buffer. */
export type BindingAccess = "read" | "read_write";
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
  /** WGSL as on disk: the scalar type is `alias scalar = f32;`, shared functions are `//#include "name"`. */
  readonly source: string;
  readonly bindings: Readonly<Record<string, BindingAccess>>;
  readonly parameters: Readonly<Record<string, ParameterType>>;
  /** Pipeline-overridable constants with their defaults. */
  readonly overrides: Readonly<Record<string, number>>;
}

const SCALAR_ALIAS = "alias scalar = f32;";
const INCLUDE_LINE = /^\/\/#include "(.*)"$/gm;

/** What kernels share: the files of `include/` by their names without `.wgsl`. */
export const INCLUDES: ReadonlyMap<string, string> = new Map([
  ["blocks", blocks],
  ["welford", welford],
]);

/**
 * The WGSL of a kernel for a scalar type, its includes in place.
 *
 * @throws Error when it includes a file that does not exist
 */
export function kernelSource(kernel: Pick<Kernel, "name" | "source">, scalar: "f32" | "f16"): string {
  const source = kernel.source.replace(INCLUDE_LINE, (_line, name: string) => {
    const text = INCLUDES.get(name);
    if (text === undefined)
      throw new Error(
        `The kernel ${kernel.name} includes "${name}"; there is ${[...INCLUDES.keys()].join(", ")} only.`,
      );
    return text.trimEnd();
  });
  return scalar === "f32" ? source : `enable f16;\n${source.replace(SCALAR_ALIAS, "alias scalar = f16;")}`;
}
