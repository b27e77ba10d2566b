import { createKleinbild, type KleinbildOptions } from "./create-kleinbild.ts";
import { makeTaskRunner, type TaskRunnerOptions } from "../task/runner/create-task-runner.ts";
import { ObjectUrls } from "../task/media/media-url.ts";
import type { LocalTaskRunner } from "../task/runner/task-runner.ts";

/**
 * Answers tasks of the hosted API in this page. Weights are loaded by the first task that needs them.
 *
 * ```ts
 * const runner = createTaskRunner({ models: { "runware:400@4": { model: "/weights/klein-4b/" } } });
 * const { data, errors } = await runner.runTasks(tasks, { onResult: (item) => show(item) });
 * ```
 */
export function createTaskRunner(options: TaskRunnerOptions<KleinbildOptions> = {}): LocalTaskRunner<KleinbildOptions> {
  const { mediaUrls = new ObjectUrls(), ...rest } = options;
  return makeTaskRunner({ ...rest, mediaUrls }, (source, signal) => createKleinbild({ ...source, signal }));
}
