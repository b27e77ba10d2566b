import { writeFile } from "node:fs/promises";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { CASE_NAMES, type CaseName, CASES } from "../../bench/case-list.ts";
import type { BenchmarkChoice, BenchmarkEvent } from "../../bench/options.ts";
import { comparisonMarkdown, compareReports } from "../../bench/report/compare.ts";
import { reportMarkdown } from "../../bench/report/markdown.ts";
import type { BenchmarkReport } from "../../bench/report/report.ts";
import { PAGE_CASES, runCases } from "../../bench/run-cases.ts";
import { runInChromium } from "./in-chromium.ts";
import { loadingCase } from "./loading.ts";
import { nodeBenchPlatform } from "./node-bench-platform.ts";
import { readReport } from "./read-report.ts";
import { sizesCase } from "./sizes.ts";

interface Options extends Omit<BenchmarkChoice, "cases"> {
  readonly json?: string;
  readonly markdown?: string;
  readonly chromium?: boolean;
}

const NODE_CASES = { ...PAGE_CASES, loading: loadingCase, sizes: sizesCase } as const;
const DEFAULTS = CASE_NAMES.filter((name) => CASES[name].byDefault);

const command = new Command("bench")
  .description("Times operators and pictures on the GPU that Node finds; prints Markdown.")
  .addArgument(new Argument("[case...]", `which; ${DEFAULTS.join(", ")} unless given`).choices(CASE_NAMES))
  .option("--json <file>", "write the report")
  .option("--markdown <file>", "write the tables")
  .option("--repeats <number>", "timed rounds", wholeNumber, 5)
  .option("--seconds <number>", "begin nothing more after this many", wholeNumber)
  .addOption(new Option("--dtype <type>", "scalar type (default: f16 where the GPU has it)").choices(["f32", "f16"]))
  .addOption(new Option("--shapes <set>", "default: by the adapter").choices(["gpu", "software", "tiny"]))
  .option("--chromium", "in a page of Chromium")
  .action(async (names: readonly CaseName[], { json, markdown, chromium, ...options }: Options) => {
    const choice = { ...options, ...(names.length > 0 && { cases: names }) };
    const events = chromium ? runInChromium(choice) : runCases(await nodeBenchPlatform(), NODE_CASES, choice);
    const report = await follow(events);
    const text = reportMarkdown(report);
    process.stdout.write(`${text}\n`);
    if (markdown !== undefined) await writeFile(markdown, `${text}\n`);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  });

command
  .command("compare")
  .description("Prints the figures of two reports side by side.")
  .argument("<before>", "file that --json wrote")
  .argument("<after>", "another")
  .action(async (before: string, after: string) => {
    const comparison = compareReports(await readReport(before), await readReport(after));
    process.stdout.write(`${comparisonMarkdown(comparison)}\n`);
  });

try {
  await command.parseAsync();
  process.exit(0); // Dawn keeps a finished process alive
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** Tells on stderr how far a run is, and gives its report. */
async function follow(events: AsyncIterable<BenchmarkEvent>): Promise<BenchmarkReport> {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  let report: BenchmarkReport | undefined;
  for await (const event of events)
    switch (event.type) {
      case "case":
        tell(`${event.case} (${event.index + 1} of ${event.count})`);
        break;
      case "row":
        tell(`  ${Object.values(event.row.labels).join(", ")}`);
        break;
      case "caseDone":
        tell(`  ${event.result.seconds.toFixed(0)} s`);
        break;
      case "report":
        report = event.report;
        break;
      default:
        event satisfies never;
    }
  if (!report) throw new Error("The run ended without a report.");
  return report;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("A whole number of at least 1 was expected.");
  return Number(text);
}
