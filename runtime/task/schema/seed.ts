import * as v from "valibot";
import { MAX_SEED, parseSeed } from "../../sampling/seed.ts";

/** The largest seed as the API documents it: 2⁶³ − 1, rounded to a double. */
const PRINTED_MAX_SEED = 2 ** 63;
const PRINTED_MAX_DIGITS = "9223372036854776000";

/**
 * `seed`: a whole number or its digits, as a bigint. Bigints and strings are exact; a number is the double that JSON made of
 * it. The documented largest seed means 2⁶³ − 1, however it is written.
 */
export const seedSchema = v.pipe(
  v.union([
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(PRINTED_MAX_SEED)),
    v.bigint(),
    v.pipe(v.string(), v.regex(/^[0-9]{1,19}$/)),
  ]),
  v.metadata({ description: "Random when left out. Exact beyond 2⁵³ − 1 as a string of digits only." }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const { value } = dataset;
    if (typeof value !== "number" && value.toString() === PRINTED_MAX_DIGITS) return MAX_SEED;
    const exact = BigInt(value);
    if (exact >= 0n && (exact <= MAX_SEED || typeof value === "number")) return parseSeed(value);
    addIssue();
    return NEVER;
  }),
);
