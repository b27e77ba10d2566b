/** All kinds of errors. The set is closed, so that you can switch on it exhaustively. */
export type KleinbildErrorCode =
  /** The request is not valid; `details.parameter` names the field. */
  | "invalid-request"
  /** An image cannot be decoded, is too small, or too elongated. */
  | "invalid-image"
  /** The model's files contradict each other or the expected layout. */
  | "invalid-model"
  /** A file of the model is not there. */
  | "missing-file"
  /** A server could not be reached or answered with an error. */
  | "network"
  /** A checksum differs. */
  | "damaged"
  /** The store has no room; `details` has `neededBytes` and `freeBytes`. */
  | "storage-full"
  /** There is no WebGPU, or no adapter. */
  | "no-webgpu"
  /** The adapter, browser or build lacks a feature that the request needs. */
  | "unsupported"
  /** The request needs more GPU memory than the budget; `details` has the nearest size that fits. */
  | "over-budget"
  /** The GPU is out of memory. */
  | "out-of-memory"
  /** The GPU device was lost. */
  | "device-lost"
  /** A GPU command was invalid: a bug in this package. */
  | "gpu-validation"
  /** Tensors do not fit each other: a bug in this package or in an operator's caller. */
  | "invalid-shape"
  /** A stage produced NaN or infinity, in f32 too. */
  | "not-finite"
  /** The engine was disposed of. */
  | "disposed"
  /** The worker or child process that runs the engine ended unexpectedly. */
  | "worker-died"
  /** A bug in this package. */
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
