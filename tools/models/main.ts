import { Command, InvalidArgumentError, Option } from "commander";
import { KleinbildError, type LoadEvent, type NodeModel, openModels, type PrepareOptions } from "../../runtime/node.ts";

/** What the store holds and what a model would take; JSON on standard output, progress on standard error. */
interface StoreOption {
  readonly store?: string;
}

interface PrepareChoice extends StoreOption, Pick<PrepareOptions, "quantization" | "quantizationMethod" | "evict"> {
  readonly modelFile?: Readonly<Record<string, string>>;
}

interface AvailabilityChoice extends PrepareChoice {
  readonly width?: number;
  readonly height?: number;
  readonly references?: number;
  readonly memoryBudget?: number;
}

const abort = new AbortController();
process.once("SIGINT", () => abort.abort(new Error("interrupted")));
const { signal } = abort;
let lastLine = "";

const program = new Command("npm run models --").description("Models that are kept, and what a model would take.");

withStore(program.command("list").description("models that are kept, last used first")).action(
  async ({ store }: StoreOption) => print(await openModels({ storeFolder: store }).list()),
);
withStore(program.command("storage").description("bytes used and free")).action(async ({ store }: StoreOption) =>
  print(await openModels({ storeFolder: store }).storage()),
);
withStore(program.command("verify").description("hashes a model again").argument("<id>")).action(
  async (id: string, { store }: StoreOption) => print(await openModels({ storeFolder: store }).verify(id, { signal })),
);
withStore(program.command("delete").description("deletes a model").argument("<id>")).action(
  async (id: string, { store }: StoreOption) => openModels({ storeFolder: store }).delete(id),
);
withModel(program.command("download").description("brings a model into the store")).action(
  async (model: string | undefined, { store, modelFile, ...options }: PrepareChoice) => {
    const kept = await openModels({ storeFolder: store }).download(place(model, modelFile), {
      ...options,
      signal,
      onProgress: showProgress,
    });
    print(kept && { ...kept, files: kept.files.map(({ path, bytes }) => ({ path, bytes })) });
  },
);
withModel(program.command("availability").description("whether a model can run here, and what it takes"))
  .option("--width <pixels>", "of the picture", wholeNumber)
  .option("--height <pixels>", "of the picture", wholeNumber)
  .option("--references <number>", "pictures of the same size that it is made from", wholeNumber)
  .option("--memory-budget <bytes>", "most bytes on the GPU at once", wholeNumber)
  .action(async (model: string | undefined, options: AvailabilityChoice) => {
    const { store, modelFile, width, height, references = 0, memoryBudget, ...prepare } = options;
    const size = width === undefined || height === undefined ? undefined : { width, height };
    const request = size && { ...size, references: Array.from({ length: references }, () => size) };
    const found = openModels({ storeFolder: store }).availability(place(model, modelFile), {
      ...prepare,
      memoryBudgetBytes: memoryBudget,
      request,
      signal,
    });
    print(await found);
  });

try {
  await program.parseAsync();
  process.exit(0); // Dawn's instance, kept for the whole process, would hold it open
} catch (error) {
  const known = error instanceof KleinbildError ? error : undefined;
  process.stderr.write(`${known ? `${known.code}: ` : ""}${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(known || signal.aborted ? 2 : 1);
}

function withStore(command: Command): Command {
  return command.option("--store <folder>", "where models are kept (default: in the user's cache folder)");
}

function withModel(command: Command): Command {
  return withStore(command)
    .argument("[model]", "a folder, its http address, or a file with all parts")
    .option(
      "--model-file <path=place>",
      "where a file of the model is, by its path in the model; repeatable",
      modelFile,
    )
    .addOption(new Option("--quantization <kind>", "repack block matrices").choices(["none", "q8", "q4"]))
    .addOption(new Option("--quantization-method <kind>", "default: mse").choices(["rtn", "mse"]))
    .option("--evict <ids...>", "models that may be deleted to make room");
}

function place(model: string | undefined, files: Readonly<Record<string, string>> | undefined): NodeModel | undefined {
  return files ?? model;
}

function modelFile(text: string, earlier: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, path, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (path === undefined || file === undefined) throw new InvalidArgumentError("path=place was expected.");
  return { ...earlier, [path]: file };
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("A whole number was expected.");
  return Number(text);
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value ?? null, undefined, 1)}\n`);
}

/** A line for each percent. */
function showProgress({ stage, part, loadedBytes, totalBytes }: LoadEvent): void {
  const line = `${stage} ${part} ${Math.floor((100 * loadedBytes) / Math.max(1, totalBytes))} %`;
  if (line !== lastLine) process.stderr.write(`${line}\n`);
  lastLine = line;
}
