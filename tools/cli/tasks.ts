import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createTaskRunner, FileUrls, type ResponseItem, type TaskResponse } from "../../runtime/node.ts";
import { engineOptions } from "../engine-choice.ts";
import type { TaskFileOptions } from "./arguments.ts";
import { standIns } from "./stand-ins.ts";

/**
 * Runs the tasks of a file. Pictures of `outputType` URL go to the folder `out`.
 * @throws Error when the file is no JSON, or the signal's reason
 */
export async function runTaskFile(
  { task: file, out, lora, model, ...choice }: TaskFileOptions,
  signal: AbortSignal,
): Promise<TaskResponse> {
  const text = await readFile(file, "utf8");
  const tasks = parseTasks(text, file);
  const loras: Record<string, Uint8Array> = {};
  for (const [id, path] of Object.entries(lora)) loras[id] = await readFile(path);
  const runner = createTaskRunner({
    standIn: standIns(model, engineOptions(choice)),
    loras,
    mediaUrls: { create: (media) => urls().create(media), revoke: () => {} }, // the files are what was asked for
  });
  let folder: FileUrls | undefined;
  const urls = (): FileUrls => (folder ??= new FileUrls(resolve(out)));
  const onResult = (item: ResponseItem): void => void process.stderr.write(`${item.taskType} ${item.taskUUID}\n`);
  const answer = await runner.runTasks(tasks, { signal, onResult });
  // nobody can ask a process that has ended
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

/** For a person. */
export function describeTasks({ data, errors }: TaskResponse): string {
  const results = data.map((item) => {
    const { taskType, taskUUID } = item;
    if (!("seed" in item)) return `${taskUUID}: ${taskType} accepted`;
    const where = item.imageURL ?? "in the answer; see --json";
    return [
      `${taskUUID}: seed ${item.seed}, ${where}`,
      ...(item.warnings ?? []).map((text) => `  warning: ${text}`),
    ].join("\n");
  });
  const problems = errors.map(({ taskUUID, code, message }) => `${taskUUID ?? "request"}: ${code}: ${message}`);
  return `${[...results, ...problems].join("\n")}\n`;
}
