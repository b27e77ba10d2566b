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
  /** WGSL as on disk: the scalar type is `alias scalar = f32;`. */
  readonly source: string;
  readonly bindings: Readonly<Record<string, BindingAccess>>;
  readonly parameters: Readonly<Record<string, ParameterType>>;
  /** Pipeline-overridable constants with their defaults. */
  readonly overrides: Readonly<Record<string, number>>;
}

const SCALAR_ALIAS = "alias scalar = f32;";

/** The WGSL of a kernel for a scalar type. */
export function kernelSource(kernel: Kernel, scalar: "f32" | "f16"): string {
  return scalar === "f32"
    ? kernel.source
    : `enable f16;\n${kernel.source.replace(SCALAR_ALIAS, "alias scalar = f16;")}`;
}
