import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { ApiError, TaskScope } from "../schema/api-error.ts";

/**
 * Tells whether a key is the expected one, in a time that does not depend on where they differ.
 *
 * @param expected  without one, every key is right, since nobody asked for any
 */
export function keyCheck(expected: string | undefined): (given: unknown) => boolean {
  if (expected === undefined) return () => true;
  const wanted = sha256(utf8ToBytes(expected));
  return (given) => {
    const digest = sha256(utf8ToBytes(typeof given === "string" ? given : ""));
    let difference = 0;
    for (let i = 0; i < digest.length; i++) difference |= digest[i]! ^ wanted[i]!;
    return difference === 0 && typeof given === "string";
  };
}

/** The key in `Authorization: Bearer <key>`. */
export function bearerKey(headers: Headers): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
}

/**
 * What a wrong or missing key is answered with. The published client recognises it by its code, and by `taskType`
 * authentication without a UUID as meant for the connection.
 */
export function invalidApiKey(scope: TaskScope = { taskType: "authentication" }): ApiError {
  return {
    code: "invalidApiKey",
    message: "The API key is missing or not the one that this server was started with.",
    parameter: "apiKey",
    type: "string",
    ...scope,
  };
}
