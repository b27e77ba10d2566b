import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isMeantFor, meansCancel } from "../../../demo/meant-for.ts";

const host = new EventTarget();
const body = new EventTarget();

/** An event on its way from `path[0]` outwards. */
function eventOf<Kind extends Event>(path: readonly unknown[], change: Partial<Kind> = {}): Kind {
  return { composedPath: () => [...path], ...change } as unknown as Kind;
}

function escape(path: readonly unknown[], change: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return eventOf(path, { key: "Escape", ...change });
}

beforeEach(() => void vi.stubGlobal("document", { body }));
afterEach(() => void vi.unstubAllGlobals());

describe("a paste or a key", () => {
  it("is meant for an element that holds the focus", () => {
    expect(isMeantFor(host, eventOf([{ localName: "textarea" }, host, body]))).toBe(true);
  });

  it("is meant for it when nothing has the focus", () => {
    expect(isMeantFor(host, eventOf([body]))).toBe(true);
  });

  it("is not meant for it while something else on the page has the focus", () => {
    expect(isMeantFor(host, eventOf([{ localName: "input" }, body]))).toBe(false);
  });
});

describe("Escape", () => {
  it("cancels from within the studio, and from a page without focus", () => {
    expect(meansCancel(host, escape([{ localName: "textarea" }, host, body]))).toBe(true);
    expect(meansCancel(host, escape([body]))).toBe(true);
  });

  it.each<[string, KeyboardEvent]>([
    ["another key", escape([body], { key: "Enter" })],
    ["a list that it closes", escape([{ localName: "select" }, host, body])],
    ["a dialog of the page around", escape([{ localName: "dialog" }, body])],
    ["a word that is being composed", escape([{ localName: "textarea" }, host, body], { isComposing: true })],
    ["a key that is held down", escape([body], { repeat: true })],
    ["a key that had its effect", escape([body], { defaultPrevented: true })],
  ])("does not cancel for %s", (_, event) => expect(meansCancel(host, event)).toBe(false));
});
