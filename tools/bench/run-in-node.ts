import type { BenchmarkChoice, BenchmarkEvent } from "../../bench/options.ts";
import { PAGE_CASES, type RunnableCases, runCases } from "../../bench/run-cases.ts";
import { loadingCase } from "./loading.ts";
import { nodeBenchPlatform } from "./node-bench-platform.ts";

/** Runs the benchmark in this process. */
export async function* runInNode(
  choice: BenchmarkChoice,
  more: RunnableCases = {},
): AsyncGenerator<BenchmarkEvent, void> {
  yield* runCases(await nodeBenchPlatform(), { ...PAGE_CASES, loading: loadingCase, ...more }, choice);
}
