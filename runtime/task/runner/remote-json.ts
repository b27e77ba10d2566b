/** Tasks as JSON with exact seeds: numbers in JSON can have more digits than JavaScript's. */

/**
 * Writes bigints as numbers with all digits, and `seed` as a number also if it is a string of digits.
 *
 * @throws TypeError if the value contains itself
 */
export function serialiseTask(task: unknown): string {
  const mark = `bigint:${crypto.randomUUID()}:`; // no prompt can contain it
  const json = JSON.stringify(task, (key, value: unknown) => {
    if (typeof value === "bigint") return `${mark}${value}`;
    return key === "seed" && typeof value === "string" && /^\d{1,19}$/.test(value) ? `${mark}${BigInt(value)}` : value;
  }) as string | undefined;
  return (json ?? "null").replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

/**
 * Parses an answer. A seed that no double holds becomes a string of digits, as in this package's own answers.
 *
 * @throws SyntaxError
 */
export function parseResponse(json: string): unknown {
  // a match is always a key: within strings a backslash precedes each quotation mark
  const exact = json.replaceAll(/(?<!\\)"seed"\s*:\s*(\d{16,})(?=\s*[,}])/g, (pair, digits: string) =>
    BigInt(digits) > BigInt(Number.MAX_SAFE_INTEGER) ? `"seed":"${digits}"` : pair,
  );
  return JSON.parse(exact);
}
