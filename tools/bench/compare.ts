import { readFile } from "node:fs/promises";
import { comparisonMarkdown, compareReports } from "../../bench/report/compare.ts";
import { parseReport } from "../../bench/report/parse-report.ts";
import type { BenchmarkReport } from "../../bench/report/report.ts";
import { KleinbildError } from "../../runtime/errors.ts";

/** Compares two reports, as Markdown. @throws KleinbildError, which names the file and the problem */
export async function comparison(before: string, after: string): Promise<string> {
  return comparisonMarkdown(compareReports(await readReport(before), await readReport(after)));
}

async function readReport(path: string): Promise<BenchmarkReport> {
  try {
    return parseReport(await readFile(path, "utf8"));
  } catch (cause) {
    const [code, message] =
      cause instanceof KleinbildError ? [cause.code, cause.message] : (["missing-file", String(cause)] as const);
    throw new KleinbildError(code, `${path}: ${message}`, { path }, { cause });
  }
}
