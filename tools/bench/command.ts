import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { Argument, Command } from "commander";
import { CASE_NAMES, type CaseName, CASES } from "../../bench/case-list.ts";
import type { BenchmarkChoice, BenchmarkEvent } from "../../bench/options.ts";
import type { BenchmarkReport } from "../../bench/report/report.ts";
import type { RunnableCases } from "../../bench/run-cases.ts";
import { V8_FLAGS } from "../../runtime/node/create-kleinbild.ts";
import { EXIT_STATUS } from "../exit-status.ts";
import { choice, wholeNumber } from "../option-values.ts";

/** What the benchmark does in the repository only: it needs the sources. */
export interface RepositoryBench {
  readonly repositoryCases: RunnableCases;
  readonly runInChromium: (choice: BenchmarkChoice) => AsyncIterable<BenchmarkEvent>;
}

interface Options extends Omit<BenchmarkChoice, "cases"> {
  readonly json?: string | undefined;
  readonly markdown?: string | undefined;
  readonly chromium?: boolean;
}

/** `kleinbild bench`. Modules of the cases are loaded when they run. */
export function benchCommand(loadRepository?: () => Promise<RepositoryBench>): Command {
  const names = CASE_NAMES.filter((name) => loadRepository || name !== "sizes");
  const defaults = names.filter((name) => CASES[name].byDefault).join(", ");
  const command = new Command("bench")
    .description("Measures operators and pictures on the GPU, and prints Markdown tables. See docs/benchmark.md.")
    .addArgument(new Argument("[case...]", `cases to run (default: ${defaults})`).choices(names))
    .option("--json <file>", "write the report to a file")
    .option("--markdown <file>", "write the tables to a file")
    .option("--repeats <number>", "number of timed rounds", wholeNumber(1, 9999), 5)
    .option("--seconds <number>", "start no new measurement after this time", wholeNumber(1, 9999))
    .addOption(choice("--dtype <type>", "scalar type (default: f16 where the GPU supports it)", ["f32", "f16"]))
    .addOption(choice("--shapes <set>", "sizes to measure (default: by the adapter)", ["gpu", "software", "tiny"]));
  if (loadRepository) command.option("--chromium", "run in a page of Chromium");
  return command
    .action((cases: readonly CaseName[], { json, markdown, chromium, ...options }: Options) =>
      reportErrors(async () => {
        const asked: BenchmarkChoice = { ...options, ...(cases.length > 0 && { cases }) };
        const files = { json, markdown };
        if (loadRepository && chromium) return measure((await loadRepository()).runInChromium(asked), files);
        if (!process.execArgv.includes(V8_FLAGS[0])) return restart();
        const { runInNode } = await import("./run-in-node.ts");
        const repository = await loadRepository?.();
        return measure(runInNode(asked, repository?.repositoryCases), files);
      }),
    )
    .addCommand(compareCommand());
}

function compareCommand(): Command {
  return new Command("compare")
    .description("prints the figures of two reports side by side")
    .argument("<before>", "report that --json wrote")
    .argument("<after>", "another report")
    .action((before: string, after: string) =>
      reportErrors(async () => {
        const { comparison } = await import("./compare.ts");
        process.stdout.write(`${await comparison(before, after)}\n`);
      }),
    );
}

async function measure(
  events: AsyncIterable<BenchmarkEvent>,
  { json, markdown }: Pick<Options, "json" | "markdown">,
): Promise<void> {
  const { reportMarkdown } = await import("../../bench/report/markdown.ts");
  const report = await follow(events);
  const text = reportMarkdown(report);
  process.stdout.write(`${text}\n`);
  if (markdown !== undefined) await writeFile(markdown, `${text}\n`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
}

/** onnxruntime runs in this process here, and V8 takes the flags that its wasm needs only at the start of a process. */
function restart(): void {
  const { status } = spawnSync(process.execPath, [...V8_FLAGS, ...process.argv.slice(1)], { stdio: "inherit" });
  process.exitCode = status ?? EXIT_STATUS.badArguments;
}

async function reportErrors(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT_STATUS.badArguments;
  }
}

/** Prints progress on standard error and returns the report. */
async function follow(events: AsyncIterable<BenchmarkEvent>): Promise<BenchmarkReport> {
  const print = (line: string): void => void process.stderr.write(`${line}\n`);
  let report: BenchmarkReport | undefined;
  for await (const event of events)
    switch (event.type) {
      case "case":
        print(`${event.case} (${event.index + 1} of ${event.count})`);
        break;
      case "row":
        print(`  ${Object.values(event.row.labels).join(", ")}`);
        break;
      case "caseDone":
        print(`  ${event.result.seconds.toFixed(0)} s`);
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
