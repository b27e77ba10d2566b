import { describe, expect, it } from "vitest";
import { formatBytes, formatTime, timeLeft } from "../../../demo/state/format.ts";

describe("sizes and times", () => {
  it.each([
    [0, "0 bytes"],
    [1023, "1,023 bytes"],
    [1024, "1 KiB"],
    [26_100_000, "24.9 MiB"],
    [2 ** 41, "2,048 GiB"],
  ])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [999, "999 ms"],
    [1000, "1 s"],
    [1250, "1.3 s"],
  ])("%d ms are %s", (milliseconds, text) => expect(formatTime(milliseconds)).toBe(text));

  it.each([
    [0, "less than 1 s left"],
    [999, "less than 1 s left"],
    [1000, "about 1 s left"],
    [12_400, "about 12 s left"],
    [99_999, "about 100 s left"],
    [100_000, "about 2 min left"],
    [5_999_999, "about 100 min left"],
    [6_000_000, "about 1.7 h left"],
  ])("%d ms to go are %s", (milliseconds, text) => expect(timeLeft(milliseconds)).toBe(text));
});
