import { writeFile } from "node:fs/promises";
import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { createKleinbild } from "../runtime/node.ts";
import { type AccelerationRow, measureAcceleration } from "./acceleration.ts";
import { CASES, measure, median } from "./cases.ts";
import { type LoadingRow, measureLoading, measureStoring } from "./loading.ts";

interface Options {
  readonly json?: string;
  readonly repeats: number;
  readonly dtype?: "f32" | "f16";
}

const ACCELERATION = "acceleration";
const LOADING = "loading";

const command = new Command("bench")
  .description("Times klein-nano on the GPU that Node finds.")
  .addArgument(
    new Argument("[case]", "which; all but acceleration and loading, which take minutes, unless given").choices([
      ...Object.keys(CASES),
      ACCELERATION,
      LOADING,
    ]),
  )
  .option("--json <file>", "write the measurements")
  .option("--repeats <number>", "timed rounds", wholeNumber, 5)
  .addOption(new Option("--dtype <type>", "scalar type (default: f16 where the GPU has it)").choices(["f32", "f16"]))
  .action(async (only: string | undefined, { json, repeats, dtype }: Options) => {
    if (only === ACCELERATION) {
      const rows = await measureAcceleration(repeats, dtype, print);
      for (const row of rows) print(accelerationLine(row));
      if (json !== undefined) await writeFile(json, `${JSON.stringify({ model: "klein-nano-base", rows }, null, 2)}\n`);
      return;
    }
    if (only === LOADING) {
      print(
        "| format | file, MB | read, MB/s | decode | quantize | upload | load | bound by |\n|---|---|---|---|---|---|---|---|",
      );
      const rows = await measureLoading(repeats, (row) => print(loadingLine(row)));
      const storing = await measureStoring(repeats);
      for (const { name, bytes, seconds } of storing) print(`${name}: ${megabytesPerSecond(bytes, seconds)} MB/s`);
      if (json !== undefined) await writeFile(json, `${JSON.stringify({ rows, storing }, null, 2)}\n`);
      return;
    }
    await using engine = await createKleinbild({ dtype });
    const { adapter, dtype: used } = await engine.info();
    print(`${adapter.description || adapter.vendor}, ${used}`);
    const results = [];
    for (const [name, benchCase] of Object.entries(CASES)) {
      if (only !== undefined && name !== only) continue;
      print(`${name}: ${benchCase.description}`);
      const measurements = await measure(engine, benchCase, repeats);
      for (const { name: variant, stepMs, referencesMs } of measurements)
        print(
          `  ${variant}: ${median(stepMs).toFixed(1)} ms a step (${Math.min(...stepMs).toFixed(1)} to ${Math.max(...stepMs).toFixed(1)}), references pass ${median(referencesMs).toFixed(1)} ms`,
        );
      results.push({ case: name, measurements });
    }
    const report = { date: new Date().toISOString(), adapter, dtype: used, model: "klein-nano", results };
    if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  });

try {
  await command.parseAsync();
  process.exit(0); // Dawn keeps a finished process alive
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** A row of the table in docs/acceleration.md. */
function accelerationLine({ name, skipped, speedUps, psnr }: AccelerationRow): string {
  const share = (100 * median(skipped)).toFixed(0);
  return `| ${name} | ${share} % | ${median(speedUps).toFixed(2)} | ${median(psnr).toFixed(1)} | ${Math.min(...psnr).toFixed(1)} |`;
}

/** A row of the table in bench/RESULTS.md; all rates in bytes of the file. */
function loadingLine({ format, fileBytes, seconds, loadSeconds, boundBy }: LoadingRow): string {
  const rates = [seconds.read, seconds.decode, seconds.quantize, seconds.upload, loadSeconds];
  const cells = rates.map((each) => (each === undefined ? "–" : megabytesPerSecond(fileBytes, each)));
  return `| ${[format, (fileBytes / 1e6).toFixed(0), ...cells, boundBy].join(" | ")} |`;
}

function megabytesPerSecond(bytes: number, seconds: number): string {
  return (bytes / seconds / 1e6).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("A whole number of at least 1 was expected.");
  return Number(text);
}
