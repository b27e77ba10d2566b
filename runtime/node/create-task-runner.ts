import { createKleinbild, type KleinbildNodeOptions } from "./create-kleinbild.ts";
import { makeTaskRunner, type TaskRunnerOptions } from "../task/runner/create-task-runner.ts";
import { FileUrls } from "./file-urls.ts";
import type { LocalTaskRunner } from "../task/runner/task-runner.ts";

/** Answers tasks of the hosted API in Node. Weights are loaded by the first task that needs them. */
export function createTaskRunner(
  options: TaskRunnerOptions<KleinbildNodeOptions> = {},
): LocalTaskRunner<KleinbildNodeOptions> {
  const { mediaUrls = new FileUrls(), ...rest } = options;
  return makeTaskRunner({ ...rest, mediaUrls }, (source, signal) => createKleinbild({ ...source, signal }));
}
