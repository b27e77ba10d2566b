import { writeFile } from "node:fs/promises";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { dawnGpu } from "../runtime/gpu/dawn.ts";
import { createKleinbild } from "../runtime/node.ts";
import { measureAcceleration } from "./acceleration.ts";
import * as blockTable from "./block-tables.ts";
import { measureBlocks } from "./blocks.ts";
import { operatorsInChromium } from "./in-chromium.ts";
import { measureLoading, measureStoring } from "./loading.ts";
import { measurePictures } from "./pictures.ts";
import { measureReferenceBound } from "./reference-bound.ts";
import { measure, REFERENCE_WAYS } from "./references.ts";
import { runOperators } from "./run-operators.ts";
import * as table from "./tables.ts";

interface Options {
  readonly json?: string;
  readonly repeats: number;
  readonly dtype?: "f32" | "f16";
  readonly chromium?: boolean;
}

type Case = (options: Options) => Promise<unknown>;

/** What each case prints is Markdown; what it returns goes into the JSON file. */
const BENCHES: Readonly<Record<string, Case>> = {
  async operators({ repeats, dtype, chromium }) {
    const report = chromium
      ? await operatorsInChromium(dtype, repeats)
      : await runOperators(await dawnGpu(), dtype, repeats);
    print(table.rooflineTable(report.adapter, report.roofline));
    print([table.OPERATOR_HEAD, ...report.rows.map(table.operatorLine)].join("\n"));
    return report;
  },
  async pictures({ repeats, dtype = "f32" }) {
    const rows = [...(await measurePictures(dtype, "none", repeats)), ...(await measurePictures(dtype, "q4", repeats))];
    print(table.pictureTable(rows));
    return rows;
  },
  async references({ repeats, dtype }) {
    await using engine = await createKleinbild({ dtype });
    const measurements = await measure(engine, REFERENCE_WAYS, repeats);
    print(table.stepTable(measurements));
    return measurements;
  },
  async acceleration({ repeats, dtype }) {
    const rows = await measureAcceleration(repeats, dtype, print);
    for (const row of rows) print(table.accelerationLine(row));
    return rows;
  },
  async loading({ repeats }) {
    print(table.LOADING_HEAD);
    const rows = await measureLoading(repeats, (row) => print(table.loadingLine(row)));
    const storing = await measureStoring(repeats);
    print(table.storingTable(storing));
    return { rows, storing };
  },
  async "reference-bound"({ repeats, dtype }) {
    print(blockTable.REFERENCE_BOUND_HEAD);
    const options = { repeats, dtype, backend: "wgsl" } as const;
    return measureReferenceBound(await dawnGpu(), options, (row) => print(blockTable.referenceBoundLine(row)));
  },
  async blocks({ repeats, dtype }) {
    print(blockTable.BLOCK_HEAD);
    const report = await measureBlocks(await dawnGpu(), { repeats, dtype }, (row) => print(blockTable.blockLine(row)));
    print(blockTable.stepEstimates(report));
    return report;
  },
};
/** They take minutes. */
const ASKED_FOR = new Set(["acceleration", "loading", "reference-bound", "blocks"]);

const command = new Command("bench")
  .description("Times the kernels, and klein-nano, on the GPU that Node finds.")
  .addArgument(
    new Argument("[case]", `which; all but ${[...ASKED_FOR].join(", ")} unless given`).choices(Object.keys(BENCHES)),
  )
  .option("--json <file>", "write the measurements")
  .option("--repeats <number>", "timed rounds", wholeNumber, 5)
  .addOption(new Option("--dtype <type>", "scalar type (default: f16 where the GPU has it)").choices(["f32", "f16"]))
  .option("--chromium", "time the operators in a page of Chromium")
  .action(async (only: string | undefined, options: Options) => {
    if (options.chromium && only !== "operators")
      throw new InvalidArgumentError("--chromium is for the case operators.");
    const names = only === undefined ? Object.keys(BENCHES).filter((name) => !ASKED_FOR.has(name)) : [only];
    const results: Record<string, unknown> = {};
    for (const name of names) {
      print(`\n## ${name}\n`);
      results[name] = await BENCHES[name]!(options);
    }
    const report = { date: new Date().toISOString(), node: process.version, results };
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  });

try {
  await command.parseAsync();
  process.exit(0); // Dawn keeps a finished process alive
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("A whole number of at least 1 was expected.");
  return Number(text);
}
