import { Command } from "commander";
import { KleinbildError, type LoadEvent, type NodeModel, openModels, type PrepareOptions } from "../../runtime/node.ts";
import { EXIT_STATUS } from "../exit-status.ts";
import { choice, wholeNumber } from "../option-values.ts";
import { interruptSignal } from "./interrupt.ts";
import { type ModelFiles, modelFileOption } from "./model-argument.ts";

interface StoreOption {
  readonly store?: string;
}

interface ModelOptions extends StoreOption, Pick<PrepareOptions, "quantization" | "quantizationMethod" | "evict"> {
  readonly modelFile?: ModelFiles;
}

interface AvailabilityChoice extends ModelOptions {
  readonly width?: number;
  readonly height?: number;
  readonly references?: number;
  readonly memoryBudget?: number;
}

/** `kleinbild models`: the store, and what a model needs. Prints JSON on standard output and progress on standard error. */
export function modelsCommand(): Command {
  return new Command("models")
    .description("Manages stored models, and checks whether a model can run here. See docs/models.md.")
    .addCommand(listCommand())
    .addCommand(storageCommand())
    .addCommand(availabilityCommand())
    .addCommand(downloadCommand())
    .addCommand(verifyCommand())
    .addCommand(deleteCommand());
}

function listCommand(): Command {
  return withStore(new Command("list").description("lists stored models, last used first")).action(
    ({ store }: StoreOption) => printResult(() => openModels({ storeFolder: store }).list()),
  );
}

function storageCommand(): Command {
  return withStore(new Command("storage").description("shows how many bytes are used and free")).action(
    ({ store }: StoreOption) => printResult(() => openModels({ storeFolder: store }).storage()),
  );
}

function verifyCommand(): Command {
  const command = new Command("verify").description("compares a stored model with its hashes").argument("<id>");
  return withStore(command).action((id: string, { store }: StoreOption) =>
    printResult((signal) => openModels({ storeFolder: store }).verify(id, { signal })),
  );
}

function deleteCommand(): Command {
  const command = new Command("delete").description("deletes a stored model").argument("<id>");
  return withStore(command).action((id: string, { store }: StoreOption) =>
    run(() => openModels({ storeFolder: store }).delete(id)),
  );
}

function downloadCommand(): Command {
  return withModel(new Command("download").description("downloads a model into the store")).action(
    (model: string | undefined, { store, modelFile, ...options }: ModelOptions) =>
      printResult(async (signal) => {
        const onProgress = progressLines();
        const source: NodeModel | undefined = modelFile ?? model;
        const stored = await openModels({ storeFolder: store }).download(source, { ...options, signal, onProgress });
        return stored && { ...stored, files: stored.files.map(({ path, bytes }) => ({ path, bytes })) };
      }),
  );
}

function availabilityCommand(): Command {
  return withModel(new Command("availability").description("checks whether a model can run here, and what it needs"))
    .option("--width <pixels>", "width of the picture", wholeNumber())
    .option("--height <pixels>", "height of the picture", wholeNumber())
    .option("--references <number>", "number of references, each as large as the picture", wholeNumber(), 0)
    .option("--memory-budget <bytes>", "limit on GPU memory", wholeNumber())
    .action((model: string | undefined, options: AvailabilityChoice) =>
      printResult((signal) => {
        const { store, modelFile, width, height, references = 0, memoryBudget, ...prepare } = options;
        const size = width === undefined || height === undefined ? undefined : { width, height };
        const request = size && { ...size, references: Array.from({ length: references }, () => size) };
        const asked = { ...prepare, memoryBudgetBytes: memoryBudget, request, signal };
        return openModels({ storeFolder: store }).availability(modelFile ?? model, asked);
      }),
    );
}

function withStore(command: Command): Command {
  return command.option("--store <folder>", "folder of the store (default: kleinbild in the user's cache folder)");
}

function withModel(command: Command): Command {
  return withStore(command)
    .argument("[model]", "a folder, a file with all parts, or the http address of either")
    .addOption(modelFileOption((location) => location))
    .addOption(choice("--quantization <kind>", "quantize block matrices", ["none", "q8", "q4"]))
    .addOption(choice("--quantization-method <kind>", "how to choose scales (default: mse)", ["rtn", "mse"]))
    .option("--evict <ids...>", "stored models that may be deleted to make room");
}

/** Runs a subcommand and sets the exit status. */
async function run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = interruptSignal();
  try {
    await work(signal);
    process.exitCode = EXIT_STATUS.success;
  } catch (error) {
    const known = error instanceof KleinbildError ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${known ? `${known.code}: ` : ""}${message}\n`);
    process.exitCode = known || signal.aborted ? EXIT_STATUS.failed : EXIT_STATUS.badArguments;
  }
}

function printResult(work: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  return run(async (signal) => {
    process.stdout.write(`${JSON.stringify((await work(signal)) ?? null, undefined, 1)}\n`);
  });
}

/** Prints one line for each percent. */
function progressLines(): (event: LoadEvent) => void {
  let last = "";
  return ({ stage, part, loadedBytes, totalBytes }) => {
    const line = `${stage} ${part} ${Math.floor((100 * loadedBytes) / Math.max(1, totalBytes))} %`;
    if (line !== last) process.stderr.write(`${line}\n`);
    last = line;
  };
}
