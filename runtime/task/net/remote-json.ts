/** Tasks as JSON with seeds that are exact: JSON's numbers have any length, JavaScript's do not. */

/**
 * Bigints as numbers of all their digits, and `seed` as a number also where it is a string of digits.
 *
 * @throws TypeError when the value contains itself
 */
export function serialiseTask(task: unknown): string {
  const mark = `bigint:${crypto.randomUUID()}:`; // nobody can have written it into a prompt
  const json = JSON.stringify(task, (key, value: unknown) => {
    if (typeof value === "bigint") return `${mark}${value}`;
    return key === "seed" && typeof value === "string" && /^\d{1,19}$/.test(value) ? `${mark}${BigInt(value)}` : value;
  }) as string | undefined;
  return (json ?? "null").replaceAll(new RegExp(`"${mark}(-?\\d+)"`, "g"), "$1");
}

/**
 * A seed that no double holds becomes a string of its digits, as in this package's own answers.
 *
 * @throws SyntaxError
 */
export function parseResponse(json: string): unknown {
  // within a string a quotation mark follows a backslash, so that this is a key
  const exact = json.replaceAll(/(?<!\\)"seed"\s*:\s*(\d{16,})(?=\s*[,}])/g, (pair, digits: string) =>
    BigInt(digits) > BigInt(Number.MAX_SAFE_INTEGER) ? `"seed":"${digits}"` : pair,
  );
  return JSON.parse(exact);
}
