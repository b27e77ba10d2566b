/**
 * All kinds of errors. The set is closed, so that you can switch on it exhaustively.
 *
 * - `invalid-request`: the request is not valid; `details.parameter` names the field.
 * - `invalid-image`: an image cannot be decoded, is too small, or too elongated.
 * - `invalid-model`: the model's files contradict each other or the expected layout.
 * - `missing-file`: a file of the model is not there.
 * - `network`: a server could not be reached or answered with an error.
 * - `damaged`: a checksum differs.
 * - `storage-full`: the store has no room; `details` has `neededBytes` and `freeBytes`.
 * - `no-webgpu`: there is no WebGPU, or no adapter.
 * - `unsupported`: the adapter, browser or build lacks a feature that the request needs.
 * - `over-budget`: the request needs more GPU memory than the budget; `details` has the nearest size that fits.
 * - `out-of-memory`: the GPU is out of memory.
 * - `device-lost`: the GPU device was lost.
 * - `gpu-validation`: a GPU command was invalid: a bug in this package.
 * - `invalid-shape`: tensors do not fit each other: a bug in this package or in an operator's caller.
 * - `not-finite`: a stage produced NaN or infinity, in f32 too.
 * - `disposed`: the engine was disposed of.
 * - `worker-died`: the worker or child process that runs the engine ended unexpectedly.
 * - `internal`: a bug in this package.
 */
export type KleinbildErrorCode =
  | "invalid-request"
  | "invalid-image"
  | "invalid-model"
  | "missing-file"
  | "network"
  | "damaged"
  | "storage-full"
  | "no-webgpu"
  | "unsupported"
  | "over-budget"
  | "out-of-memory"
  | "device-lost"
  | "gpu-validation"
  | "invalid-shape"
  | "not-finite"
  | "disposed"
  | "worker-died"
  | "internal";

/** Numbers and names that help to fix the cause, for example `{ parameter: "width", nearest: 1008 }`. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly (string | number)[]>>;

/** The one error class of the package. After an abort, the reason of the signal is thrown instead, without a wrapper. */
export class KleinbildError extends Error {
  /** Always `KleinbildError`. */
  override readonly name = "KleinbildError";
  /** The kind of error. */
  readonly code: KleinbildErrorCode;
  /** Data about the cause; empty when there is none. */
  readonly details: ErrorDetails;

  /** @param options  as for `Error`, to attach a `cause` */
  constructor(code: KleinbildErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
