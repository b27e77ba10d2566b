import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command } from "commander";
import { createTaskRunner, FileUrls, type ResponseItem, type TaskResponse } from "../../runtime/node.ts";
import { addEngineOptions, type EngineChoice, engineOptions } from "../engine-choice.ts";
import { EXIT_STATUS } from "../exit-status.ts";
import { existingFile, keyAndValue } from "../option-values.ts";
import { interruptSignal } from "./interrupt.ts";
import { MODEL_HELP, modelLocation } from "./model-argument.ts";
import { pictureOptions } from "./picture-options.ts";
import { standIns } from "./stand-ins.ts";

/** Files by the ids in tasks. */
type Files = Readonly<Record<string, string>>;

interface TaskOptions extends EngineChoice {
  readonly task: string;
  readonly model?: string;
  /** Folder for pictures of `outputType` URL. */
  readonly out: string;
  readonly lora: Files;
  readonly json: boolean;
}

/** `kleinbild tasks`: tasks of the hosted API, from a file. */
export function tasksCommand(): Command {
  const command = new Command("tasks")
    .description("Runs tasks of the imageInference API from a JSON file. See docs/task.md.")
    .requiredOption("--task <file>", "JSON file with one task or an array of tasks", existingFile)
    .option("--out <folder>", "where to write pictures of outputType URL", "kleinbild-pictures")
    .option("--lora <id=file>", "LoRA file that tasks name by this id in lora.model; repeatable", loraFile, {})
    .option("--model <model>", `answers for models without weights here: ${MODEL_HELP}`, modelLocation)
    .option("--json", "print the answer as one JSON object on standard output, and nothing else", false)
    .allowExcessArguments(false);
  const inTasks = pictureOptions();
  for (const option of inTasks) command.addOption(option.hideHelp());
  return addEngineOptions(command).action(async (options: TaskOptions) => {
    const misplaced = inTasks
      .map((option) => option.attributeName())
      .find((name) => command.getOptionValueSource(name) === "cli");
    if (misplaced !== undefined) command.error(`error: with --task, ${misplaced} is said in the task`);
    process.exitCode = await runTasks(options);
  });
}

/** Returns the exit status. */
async function runTasks(options: TaskOptions): Promise<number> {
  const signal = interruptSignal();
  try {
    const answer = await runTaskFile(options, signal);
    process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : describe(answer));
    return answer.errors.length === 0 ? EXIT_STATUS.success : EXIT_STATUS.failed;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return signal.aborted ? EXIT_STATUS.failed : EXIT_STATUS.badArguments;
  }
}

/** @throws Error when the file is not JSON, or the signal's reason */
async function runTaskFile(options: TaskOptions, signal: AbortSignal): Promise<TaskResponse> {
  const { task: file, out, lora, model } = options;
  const tasks = parseTasks(await readFile(file, "utf8"), file);
  const loras: Record<string, Uint8Array> = {};
  for (const [id, path] of Object.entries(lora)) loras[id] = await readFile(path);
  let folder: FileUrls | undefined;
  const runner = createTaskRunner({
    standIn: standIns(model, engineOptions(options)),
    loras,
    // the folder is created with the first picture; its files stay
    mediaUrls: { create: (media) => (folder ??= new FileUrls(resolve(out))).create(media), revoke: () => {} },
  });
  const onResult = (item: ResponseItem): void => void process.stderr.write(`${item.taskType} ${item.taskUUID}\n`);
  const answer = await runner.runTasks(tasks, { signal, onResult });
  // results of asynchronous tasks are collected here, because they end with the process
  await Promise.race([runner.idle(), aborted(signal)]);
  const pending = answer.data.filter((item) => item.taskType === "imageInference" && !("imageUUID" in item));
  const polls = pending.map(({ taskUUID }) => ({ taskType: "getResponse", taskUUID }));
  const later = await runner.runTasks(polls, { signal, onResult });
  return { data: [...answer.data, ...later.data], errors: [...answer.errors, ...later.errors] };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}

function parseTasks(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is no JSON: ${(cause as Error).message}`, { cause });
  }
}

function loraFile(text: string, earlier: Files): Files {
  const [id, file] = keyAndValue(text, "id", "file");
  return { ...earlier, [id]: existingFile(file) };
}

/** The answer as text for people. */
function describe({ data, errors }: TaskResponse): string {
  const results = data.map((item) => {
    const { taskType, taskUUID } = item;
    if (!("seed" in item)) return `${taskUUID}: ${taskType} accepted`;
    const where = item.imageURL ?? "part of the answer; use --json to see it";
    const warnings = (item.warnings ?? []).map((text) => `  warning: ${text}`);
    return [`${taskUUID}: seed ${item.seed}, ${where}`, ...warnings].join("\n");
  });
  const problems = errors.map(({ taskUUID, code, message }) => `${taskUUID ?? "request"}: ${code}: ${message}`);
  return `${[...results, ...problems].join("\n")}\n`;
}
