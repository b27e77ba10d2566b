import { type ErrorDetails, KleinbildError, type KleinbildErrorCode } from "../errors.ts";

/** Longer chains of causes are cut; so are circular ones. */
const MAX_CAUSES = 8;

/** An error as plain data: ports and pipes between processes lose the class and the fields of errors. */
export interface ErrorEnvelope {
  /** Undefined: it was no KleinbildError. */
  readonly code: KleinbildErrorCode | undefined;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly details: ErrorDetails;
  readonly cause: ErrorEnvelope | undefined;
}

/** @param depth  number of errors that this one is a cause of */
export function packError(error: unknown, depth = 0): ErrorEnvelope {
  if (!(error instanceof Error))
    return { code: undefined, name: "Error", message: String(error), stack: undefined, details: {}, cause: undefined };
  const known = error instanceof KleinbildError ? error : undefined;
  return {
    code: known?.code,
    name: error.name,
    message: error.message,
    stack: error.stack,
    details: known?.details ?? {},
    cause: error.cause === undefined || depth === MAX_CAUSES ? undefined : packError(error.cause, depth + 1),
  };
}

/** The error with its class, code, details and cause, and with the stack of where it was thrown. */
export function unpackError(envelope: ErrorEnvelope): Error {
  const options = envelope.cause ? { cause: unpackError(envelope.cause) } : undefined;
  const error = envelope.code
    ? new KleinbildError(envelope.code, envelope.message, envelope.details, options)
    : Object.assign(new Error(envelope.message, options), { name: envelope.name });
  if (envelope.stack !== undefined) error.stack = envelope.stack;
  return error;
}
