import { describe, expect, it } from "vitest";
import { SocketSession, type SocketSessionOptions } from "../../../runtime/task/serve/socket-session.ts";
import type { TaskRunner } from "../../../runtime/task/runner/task-runner-types.ts";
import { deferred, untilAborted } from "../../support/deferred.ts";
import { FakeTaskRunner } from "../../support/fake-task-runner.ts";
import { TASK } from "./tasks.ts";

const OTHER = { ...TASK, taskUUID: "6f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c56" };
const PING = { taskType: "ping", ping: true };
const PONG = { data: [{ taskType: "ping", pong: true }] };
const EARLIER = "0b0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c59";

interface Open {
  readonly session: SocketSession;
  readonly sent: unknown[];
  readonly receive: (...tasks: readonly unknown[]) => Promise<void>;
}

function open(runner: TaskRunner = new FakeTaskRunner(), options: SocketSessionOptions = {}): Open {
  const sent: unknown[] = [];
  const session = new SocketSession(runner, (text) => sent.push(JSON.parse(text)), options);
  return { session, sent, receive: (...tasks) => session.receive(JSON.stringify(tasks)) };
}

function authentication(apiKey: string, connectionSessionUUID?: unknown): object {
  return { taskType: "authentication", apiKey, ...(connectionSessionUUID !== undefined && { connectionSessionUUID }) };
}

describe("authentication", () => {
  const named = (connectionSessionUUID: unknown): object => ({
    data: [{ taskType: "authentication", connectionSessionUUID }],
  });

  it("gives the connection a name, another one each time", async () => {
    const { sent, receive } = open(undefined, { apiKey: "secret" });
    await receive(authentication("secret"));
    await receive(authentication("secret"));
    expect(sent).toEqual([named(expect.stringMatching(/^[\da-f-]{36}$/)), named(expect.any(String))]);
    expect(sent[0]).not.toEqual(sent[1]);
  });

  it("keeps the name of an earlier connection, and gives a new one for an invalid name", async () => {
    const { sent, receive } = open();
    await receive(authentication("", EARLIER));
    await receive(authentication("", "../../etc"));
    await receive(authentication("", { a: 1 }));
    expect(sent[0]).toEqual(named(EARLIER));
    for (const answer of sent.slice(1)) expect(answer).toEqual(named(expect.stringMatching(/^[\da-f-]{36}$/)));
  });

  it("with a wrong key is answered in the shape that the client knows the connection's errors by", async () => {
    const { sent, receive } = open(undefined, { apiKey: "secret" });
    await receive(authentication("wrong", EARLIER));
    expect(sent).toEqual([
      { errors: [expect.objectContaining({ code: "invalidApiKey", taskType: "authentication", parameter: "apiKey" })] },
    ]);
    expect(sent[0]).not.toHaveProperty(["errors", 0, "taskUUID"]);
  });

  it("must come before tasks where there is a key, in the same message at the latest", async () => {
    const runner = new FakeTaskRunner();
    const { sent, receive } = open(runner, { apiKey: "secret" });
    await receive(TASK, authentication("wrong"), TASK);
    expect(sent).toHaveLength(3);
    expect(sent[0]).toMatchObject({ errors: [{ code: "invalidApiKey", taskUUID: TASK.taskUUID }] });
    expect(runner.calls).toHaveLength(0);
    await receive(authentication("secret"), TASK);
    expect(runner.calls).toHaveLength(1);
  });

  it("is not needed where the transport saw the key, or where there is none", async () => {
    for (const options of [{ apiKey: "secret", authenticated: true }, {}]) {
      const { sent, receive } = open(undefined, options);
      await receive(TASK);
      expect(sent).toMatchObject([{ data: [{ taskUUID: TASK.taskUUID }] }]);
    }
  });
});

describe("messages", () => {
  it("with a ping are answered at once, while tasks run", async () => {
    const { sent, receive } = open(new FakeTaskRunner(() => new Promise(() => {})));
    void receive(TASK);
    await receive(PING);
    expect(sent).toEqual([PONG]);
  });

  it("may hold one task without an array", async () => {
    const { session, sent } = open();
    await session.receive(JSON.stringify(TASK));
    expect(sent).toMatchObject([{ data: [{ taskUUID: TASK.taskUUID }] }]);
  });

  it.each(["", "{", "undefined", "NaN"])("%j is no JSON", async (text) => {
    const { session, sent } = open();
    await session.receive(text);
    expect(sent).toMatchObject([{ errors: [{ code: "invalidJSON" }] }]);
  });

  it("of the greatest length are read, longer ones are not", async () => {
    const text = JSON.stringify([PING]);
    const { session, sent } = open(undefined, { maxMessageLength: text.length });
    await session.receive(text);
    await session.receive(`${text} `);
    expect(sent).toMatchObject([PONG, { errors: [{ code: "requestTooLarge", max: text.length }] }]);
  });

  it.each([[null], [7], ["imageInference"], [[TASK]], [{}], [{ ...TASK, taskType: "videoInference" }]])(
    "with %j instead of a task are answered by an error, and the task beside it by its picture",
    async (task) => {
      const { sent, receive } = open();
      await receive(task, OTHER);
      expect(sent).toHaveLength(2);
      expect(sent).toContainEqual({ errors: [expect.objectContaining({ code: "unsupportedTaskType" })] });
      expect(sent).toContainEqual({ data: [expect.objectContaining({ taskUUID: OTHER.taskUUID })] });
    },
  );
});

describe("results", () => {
  it("of imageInference are messages of their own, each sent when it is there", async () => {
    const seen: number[] = [];
    const { sent, receive } = open(new FakeTaskRunner(async (index) => void seen.push(sent.length - index)));
    await receive({ ...TASK, numberResults: 4 });
    expect(seen).toEqual([0, 0, 0, 0]);
    expect(sent).toMatchObject([7, 8, 9, 10].map((seed) => ({ data: [{ taskUUID: TASK.taskUUID, seed }] })));
  });

  it("of a runner that reports nothing early are sent all the same, once", async () => {
    const runner = new FakeTaskRunner();
    const { sent, receive } = open({ runTasks: (tasks) => runner.runTasks(tasks) });
    await receive({ ...TASK, numberResults: 2 });
    expect(sent).toMatchObject([{ data: [{ seed: 7 }, { seed: 8 }] }]);
  });

  it("of an asynchronous task come with getResponse, all in one message", async () => {
    const { sent, receive } = open();
    await receive({ ...TASK, numberResults: 3, deliveryMethod: "async" });
    await receive({ taskType: "getResponse", taskUUID: TASK.taskUUID });
    expect(sent).toHaveLength(2);
    expect(sent[0]).toEqual({ data: [{ taskType: "imageInference", taskUUID: TASK.taskUUID }] });
    expect(sent[1]).toMatchObject({ data: [7, 8, 9].map((seed) => ({ seed, status: "success" })) });
  });

  it("of imageUpload name the stored picture", async () => {
    const runner = new FakeTaskRunner();
    const { sent, receive } = open(runner);
    await receive({ taskType: "imageUpload", taskUUID: TASK.taskUUID, image: "data:," });
    const [imageUUID] = [...runner.uploads.keys()];
    expect(sent).toEqual([{ data: [{ taskType: "imageUpload", taskUUID: TASK.taskUUID, imageUUID }] }]);
  });

  it("that come after a task's answer are not sent", async () => {
    let late: (() => void) | undefined;
    const runner: TaskRunner = {
      runTasks: async (_, options) => {
        const item = { taskType: "imageInference", taskUUID: TASK.taskUUID } as const;
        late = () => options?.onResult?.({ ...item, imageUUID: EARLIER, seed: 1 });
        return { data: [item], errors: [] };
      },
    };
    const { sent, receive } = open(runner);
    await receive({ ...TASK, deliveryMethod: "async" });
    late!();
    expect(sent).toHaveLength(1);
  });

  it("of a failing runner are an error of the task", async () => {
    const { sent, receive } = open({ runTasks: () => Promise.reject(new Error("a bug")) });
    await receive(TASK);
    const { taskType, taskUUID } = TASK;
    expect(sent).toEqual([{ errors: [{ code: "internalServerError", message: "a bug", taskType, taskUUID }] }]);
  });
});

describe("unfinished tasks", () => {
  it("are limited in number, and room comes back with each that ends", async () => {
    const finish = deferred();
    const { sent, receive } = open(new FakeTaskRunner(() => finish.promise), { maxPendingTasks: 2 });
    const running = receive(TASK, OTHER, { ...TASK, taskUUID: EARLIER });
    expect(sent).toMatchObject([{ errors: [{ code: "tooManyTasks", taskUUID: EARLIER, max: 2 }] }]);
    finish.resolve();
    await running;
    expect(sent).toHaveLength(3);
    await receive(TASK, OTHER);
    expect(sent).toHaveLength(5);
  });

  it("are aborted by closing, and nothing is sent or begun any more", async () => {
    const runner = new FakeTaskRunner((_, signal) => untilAborted(signal));
    const { session, sent, receive } = open(runner);
    const running = receive(TASK, OTHER);
    session.close();
    await running;
    expect(runner.calls.map(({ signal }) => signal!.aborted)).toEqual([true, true]);
    await receive(TASK, PING);
    expect(runner.calls).toHaveLength(2);
    expect(sent).toEqual([]);
  });

  it("that ended are not aborted by closing: asynchronous ones go on", async () => {
    const runner = new FakeTaskRunner();
    const { session, receive } = open(runner);
    await receive({ ...TASK, deliveryMethod: "async" });
    session.close();
    expect(runner.calls[0]!.signal!.aborted).toBe(false);
  });
});
