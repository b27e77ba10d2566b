import { createKleinbild, type KleinbildOptions } from "./create-kleinbild.ts";
import { makeTaskRunner, type TaskRunnerOptions } from "../task/runner/create-task-runner.ts";
import { ObjectUrls } from "./object-urls.ts";
import type { LocalTaskRunner } from "../task/runner/task-runner.ts";

/**
 * Runs tasks of the hosted API in this page. The first task that needs a model's weights loads them.
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
