import { describe, expect, it } from "vitest";
import { EventLog, withEvents } from "../../runtime/async/event-stream.ts";
import { deferred } from "../support/deferred.ts";

describe("events of work in progress", () => {
  it("are yielded while it runs, in order, before its value", async () => {
    const gate = deferred();
    const events = withEvents<number, string>(async (emit) => {
      emit(1);
      emit(2);
      await gate.promise;
      emit(3);
      return "done";
    });
    expect(await events.next()).toEqual({ done: false, value: 1 });
    expect(await events.next()).toEqual({ done: false, value: 2 });
    const third = events.next();
    gate.resolve();
    expect(await third).toEqual({ done: false, value: 3 });
    expect(await events.next()).toEqual({ done: true, value: "done" });
  });

  it("come before its error", async () => {
    const reason = new Error("enough");
    const events = withEvents<number, void>((emit) => {
      emit(1);
      return Promise.reject(reason);
    });
    expect(await events.next()).toEqual({ done: false, value: 1 });
    await expect(events.next()).rejects.toBe(reason);
  });

  it("end early only once the work has ended", async () => {
    const gate = deferred();
    const order: string[] = [];
    const events = withEvents<number, void>(async (emit) => {
      emit(1);
      await gate.promise;
      order.push("work");
    });
    await events.next();
    const ended = events.return(undefined).then(() => order.push("iteration"));
    gate.resolve();
    await ended;
    expect(order).toEqual(["work", "iteration"]);
  });
});

describe("events of which only the latest counts", () => {
  it("replace each other until they are read", async () => {
    const gate = deferred();
    const events = withEvents<number, string>(async (emit) => {
      emit(1);
      emit(2);
      await gate.promise;
      emit(3);
      emit(4);
      return "done";
    }, "latest");
    expect(await events.next()).toEqual({ done: false, value: 2 });
    gate.resolve();
    expect(await events.next()).toEqual({ done: false, value: 4 });
    expect(await events.next()).toEqual({ done: true, value: "done" });
  });
});

describe("a log of events", () => {
  it("gives each iteration all events, during and after its time", async () => {
    const log = new EventLog<number>();
    const readers = [readAll(log), readAll(log)];
    log.add(1);
    await Promise.resolve();
    log.add(2);
    log.add(3);
    log.end();
    expect(await Promise.all([...readers, readAll(log)])).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
  });
});

async function readAll<E>(log: EventLog<E>): Promise<readonly E[]> {
  const events: E[] = [];
  for await (const event of log) events.push(event);
  return events;
}
