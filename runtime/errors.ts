/** Everything that can go wrong, as a closed set: switch on it exhaustively. */
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
  /** Bytes are not those that were promised: a checksum differs. */
  | "damaged"
  /** There is no room in the store; `details` has the bytes needed and free. */
  | "storage-full"
  /** There is no WebGPU, or no adapter. */
  | "no-webgpu"
  /** The adapter, browser or build lacks something that the request needs. */
  | "unsupported"
  /** The plan finds that a request needs more memory than there is; `details` names the nearest one that fits. */
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

/** Numbers and names that help to mend the cause, for example `{ parameter: "width", nearest: 1008 }`. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly (string | number)[]>>;

/** The one error class of the package. The abort reason of a signal is thrown as it is, not wrapped. */
export class KleinbildError extends Error {
  override readonly name = "KleinbildError";
  readonly code: KleinbildErrorCode;
  readonly details: ErrorDetails;

  constructor(code: KleinbildErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
