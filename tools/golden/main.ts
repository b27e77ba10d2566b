import { Command } from "commander";
import { choice, wholeNumber } from "../option-values.ts";
import { BACKEND_OPTIONS, type BackendOption, DEFAULT_BACKEND } from "../../runtime/backend/backend.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { openGoldenFolder } from "./node-files.ts";
import { GoldenRunner } from "./run.ts";

interface Options {
  readonly backend: BackendOption;
  readonly dtype: "f32" | "f16";
  readonly only?: string;
  readonly maxBindingBytes?: number;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const command = new Command("golden")
  .description("Runs golden cases: expected tensors of the reference implementation against the engine.")
  .argument("<folder>", "folder with models/ and cases/")
  .addOption(choice("--backend <name>", "dense backend", BACKEND_OPTIONS).default(DEFAULT_BACKEND))
  .addOption(choice("--dtype <type>", "scalar type of branch activations", ["f32", "f16"]).default("f32"))
  .option("--only <text>", "only the cases whose name contains this")
  .option("--max-binding-bytes <bytes>", "limit on the bytes of a binding", wholeNumber(1))
  .action(async (folder: string, { backend, dtype, only, maxBindingBytes }: Options) => {
    const files = await openGoldenFolder(folder);
    const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec() };
    const runner = new GoldenRunner(files, platform, dtype, { backend, maxBindingBytes });
    let passed = 0;
    let failed = 0;
    for (const name of files.cases.filter((candidate) => only === undefined || candidate.includes(only))) {
      const outcome = await runner.run(name);
      print(outcome.line);
      if (outcome.passed === true) passed++;
      if (outcome.passed === false) failed++;
    }
    await runner.dispose();
    print(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  });

try {
  await command.parseAsync();
} catch (error) {
  process.stderr.write(`golden: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
process.exit(); // Dawn's instance, kept for the whole process, would hold it open
