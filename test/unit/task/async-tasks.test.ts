import { beforeEach, describe, expect, it } from "vitest";
import { TaskError } from "../../../runtime/task/schema/api-error.ts";
import { AsyncTasks } from "../../../runtime/task/runner/async-tasks.ts";
import type { ImageItem } from "../../../runtime/task/schema/response.ts";

const HOUR_MS = 60 * 60 * 1000;
const FAILURE = { code: "inferenceError", message: "out of memory" };

let time = 0;
beforeEach(() => void (time = 0));
const now = (): number => time;

const item = (taskUUID: string, imageUUID: string, imageBase64Data?: string): ImageItem => ({
  taskType: "imageInference",
  taskUUID,
  imageUUID,
  seed: 1,
  ...(imageBase64Data !== undefined && { imageBase64Data }),
});
const processing = (taskUUID: string): object => ({ taskType: "imageInference", taskUUID, status: "processing" });

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof TaskError) return error.errors[0]!.code;
    throw error;
  }
  return undefined;
}

function endedTask(tasks: AsyncTasks, taskUUID: string, base64?: string): void {
  tasks.start(taskUUID, 1);
  tasks.add(taskUUID, item(taskUUID, `${taskUUID}-1`, base64));
  tasks.end(taskUUID);
}

describe("AsyncTasks", () => {
  it("acknowledges, then lists each result that is ready and each that is not", () => {
    const tasks = new AsyncTasks({ now });
    expect(tasks.start("a", 3)).toEqual({ taskType: "imageInference", taskUUID: "a" });
    expect(tasks.poll("a")).toEqual({ data: [processing("a"), processing("a"), processing("a")], errors: [] });
    tasks.add("a", item("a", "1"));
    const first = { ...item("a", "1"), status: "success" };
    expect(tasks.poll("a")).toEqual({ data: [first, processing("a"), processing("a")], errors: [] });
    tasks.add("a", item("a", "2"));
    tasks.add("a", item("a", "3"));
    tasks.end("a");
    const all = ["1", "2", "3"].map((uuid) => ({ ...item("a", uuid), status: "success" }));
    expect(tasks.poll("a")).toEqual({ data: all, errors: [] });
    expect(tasks.poll("a")).toEqual({ data: all, errors: [] });
  });

  it("gives errors with the earlier results, and says that no more will come", () => {
    const tasks = new AsyncTasks({ now });
    tasks.start("a", 2);
    tasks.add("a", item("a", "1"));
    tasks.fail("a", [FAILURE]);
    tasks.end("a");
    expect(tasks.poll("a")).toEqual({
      data: [{ ...item("a", "1"), status: "success" }],
      errors: [{ taskType: "imageInference", taskUUID: "a", ...FAILURE }],
    });
  });

  it("never ends without a word", () => {
    const tasks = new AsyncTasks({ now });
    tasks.start("a", 2);
    tasks.end("a");
    expect(tasks.poll("a")).toMatchObject({ data: [], errors: [{ code: "inferenceError", taskUUID: "a" }] });
  });

  it("says that a task is unknown", () => {
    const tasks = new AsyncTasks({ now });
    expect(codeOf(() => tasks.poll("a"))).toBe("invalidTaskUUID");
  });

  it("refuses the UUID of a running task, and forgets the answer of an ended one", () => {
    const tasks = new AsyncTasks({ now });
    tasks.start("a", 1);
    expect(codeOf(() => tasks.start("a", 1))).toBe("conflictTaskUUID");
    tasks.add("a", item("a", "1"));
    tasks.end("a");
    tasks.start("a", 1);
    expect(tasks.poll("a").data).toEqual([processing("a")]);
  });

  it("ignores messages for tasks that are not running", () => {
    const tasks = new AsyncTasks({ now });
    endedTask(tasks, "a");
    tasks.add("a", item("a", "2"));
    tasks.fail("a", [FAILURE]);
    tasks.add("b", item("b", "1"));
    tasks.end("b");
    expect(tasks.poll("a")).toMatchObject({ data: [{ imageUUID: "a-1" }], errors: [] });
    expect(tasks.size).toBe(1);
  });

  it("keeps an answer for an hour after the task ended, and a running task for ever", () => {
    const tasks = new AsyncTasks({ now });
    tasks.start("a", 1);
    tasks.start("b", 1);
    time = 5 * HOUR_MS;
    tasks.add("a", item("a", "1"));
    tasks.end("a");
    time += HOUR_MS - 1;
    expect(tasks.poll("a").data).toHaveLength(1);
    time += 1;
    expect(codeOf(() => tasks.poll("a"))).toBe("invalidTaskUUID");
    expect(tasks.poll("b").data).toEqual([processing("b")]);
    expect(tasks.size).toBe(1);
  });

  it("keeps as many as allowed; the one that ended first goes first", () => {
    const tasks = new AsyncTasks({ now, maxTasks: 2 });
    tasks.start("a", 1);
    endedTask(tasks, "b");
    tasks.add("a", item("a", "1"));
    tasks.end("a");
    expect(tasks.size).toBe(2);
    tasks.start("c", 1);
    expect(codeOf(() => tasks.poll("b"))).toBe("invalidTaskUUID");
    expect(tasks.poll("a").data).toHaveLength(1);
  });

  it("refuses another task when as many are running as allowed", () => {
    const tasks = new AsyncTasks({ now, maxTasks: 2 });
    tasks.start("a", 1);
    tasks.start("b", 1);
    expect(codeOf(() => tasks.start("c", 1))).toBe("serviceUnavailable");
    tasks.end("a");
    expect(codeOf(() => tasks.start("c", 1))).toBeUndefined();
    expect(tasks.poll("b").data).toEqual([processing("b")]);
  });

  it("keeps pictures up to the byte budget and drops the oldest answers beyond it", () => {
    const tasks = new AsyncTasks({ now, maxBytes: 20 });
    endedTask(tasks, "a", "x".repeat(10));
    endedTask(tasks, "b", "x".repeat(10));
    expect(tasks.size).toBe(2);
    endedTask(tasks, "c", "x");
    expect(codeOf(() => tasks.poll("a"))).toBe("invalidTaskUUID");
    expect(tasks.poll("b").data).toHaveLength(1);
  });

  it("keeps the answer that came last, however large", () => {
    const tasks = new AsyncTasks({ now, maxBytes: 20 });
    endedTask(tasks, "a", "x".repeat(30));
    expect(tasks.poll("a").data).toHaveLength(1);
    endedTask(tasks, "b");
    expect(codeOf(() => tasks.poll("a"))).toBe("invalidTaskUUID");
  });
});
