import { readFile } from "node:fs/promises";
import { KleinbildError } from "../../runtime/errors.ts";
import { parseReport } from "../../bench/report/parse-report.ts";
import type { BenchmarkReport } from "../../bench/report/report.ts";

/** Reads a report. @throws KleinbildError, which names the file and the problem */
export async function readReport(path: string): Promise<BenchmarkReport> {
  try {
    return parseReport(await readFile(path, "utf8"));
  } catch (cause) {
    const [code, message] =
      cause instanceof KleinbildError ? [cause.code, cause.message] : (["missing-file", String(cause)] as const);
    throw new KleinbildError(code, `${path}: ${message}`, { path }, { cause });
  }
}
