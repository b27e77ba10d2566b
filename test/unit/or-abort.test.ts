import { describe, expect, it, vi } from "vitest";
import { orAbort } from "../../runtime/async/or-abort.ts";

describe("a promise that an abort overtakes", () => {
  const reason = new Error("enough");

  it("settles as the promise does, without an abort", async () => {
    const { signal } = new AbortController();
    expect(await orAbort(Promise.resolve(7), signal)).toBe(7);
    await expect(orAbort(Promise.reject(reason), signal)).rejects.toBe(reason);
  });

  it("rejects with the signal's reason when that comes first, or came before", async () => {
    const controller = new AbortController();
    const waiting = orAbort(new Promise<never>(() => {}), controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(orAbort(new Promise<never>(() => {}), controller.signal)).rejects.toBe(reason);
  });

  it("leaves no listener at the signal", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await orAbort(Promise.resolve(), signal);
    await Promise.resolve();
    expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(
      added.mock.calls.map(([, listener]) => listener),
    );
  });
});
