import { createKleinbild, type KleinbildNodeOptions } from "./create-kleinbild.ts";
import { makeTaskRunner, type TaskRunnerOptions } from "../task/runner/create-task-runner.ts";
import { FileUrls } from "./file-urls.ts";
import type { LocalTaskRunner } from "../task/runner/task-runner.ts";

/**
 * Runs tasks of the hosted API in Node. The first task that needs a model's weights loads them.
 *
 * ```ts
 * await using runner = createTaskRunner({ models: { "runware:400@4": { model: "./FLUX.2-klein-4B" } } });
 * const { data, errors } = await runner.runTasks(tasks, { onResult: (item) => console.log(item.taskUUID) });
 * ```
 */
export function createTaskRunner(
  options: TaskRunnerOptions<KleinbildNodeOptions> = {},
): LocalTaskRunner<KleinbildNodeOptions> {
  const { mediaUrls = new FileUrls(), ...rest } = options;
  return makeTaskRunner({ ...rest, mediaUrls }, (source, signal) => createKleinbild({ ...source, signal }));
}
