import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Notices } from "../../../demo/state/notices.ts";

const SHOWN_MS = 8000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("notices", () => {
  it("go by themselves, unless they are of errors", () => {
    const notices = new Notices();
    notices.info("done");
    notices.error(new Error("not done"));
    vi.advanceTimersByTime(SHOWN_MS - 1);
    expect(notices.list).toHaveLength(2);
    vi.advanceTimersByTime(1);
    expect(notices.list.map(({ text }) => text)).toEqual(["Not done"]);
  });

  it("appear once when they are repeated", () => {
    const notices = new Notices();
    notices.error(new Error("The file is damaged."));
    notices.error(new Error("The file is damaged."));
    expect(notices.list).toHaveLength(1);
  });

  it("stay beside each other when each has something to undo", () => {
    const notices = new Notices();
    const undone: string[] = [];
    for (const name of ["first", "second"])
      notices.info("The picture was deleted.", { label: "Undo", run: () => void undone.push(name) });
    for (const { action } of notices.list) action?.run();
    expect(undone).toEqual(["first", "second"]);
  });

  it("stay where they offer something, however long it takes to get there; of more than three the last ones", () => {
    const notices = new Notices();
    for (const name of ["a", "b", "c", "d"]) notices.info(name, { label: "Undo", run: () => {} });
    notices.info("done");
    vi.advanceTimersByTime(60 * SHOWN_MS);
    expect(notices.list.map(({ text }) => text)).toEqual(["b", "c", "d"]);
  });
});
