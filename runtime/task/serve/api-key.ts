import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { ApiError, TaskScope } from "../schema/api-error.ts";

/**
 * Makes a check of keys whose time does not depend on where they differ.
 *
 * @param expected  if undefined, every key is right
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
 * The error for a wrong or missing key. The published client recognises it by its code. A `taskType` of authentication
 * without a UUID means the whole connection.
 */
export function invalidApiKey(scope: TaskScope = { taskType: "authentication" }): ApiError {
  return {
    code: "invalidApiKey",
    message: "The API key is missing, or it is not the key of this server.",
    parameter: "apiKey",
    type: "string",
    ...scope,
  };
}
