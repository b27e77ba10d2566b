import { describe, expect, it } from "vitest";
import { TransferRate } from "../../../demo/models/transfer-rate.ts";

describe("a TransferRate", () => {
  it("shows nothing in the first second, then pace and time left", () => {
    const rate = new TransferRate();
    rate.add(1000, 0);
    rate.add(2000, 999);
    expect(rate.bytesPerSecond).toBeUndefined();
    expect(rate.leftMs(5000)).toBeUndefined();
    rate.add(3000, 1000);
    expect(rate.bytesPerSecond).toBe(2000);
    expect(rate.leftMs(7000)).toBe(2000);
  });

  it("follows the last ten seconds", () => {
    const rate = new TransferRate();
    rate.add(0, 0);
    rate.add(100_000, 5000);
    rate.add(101_000, 15_000);
    expect(rate.bytesPerSecond).toBe(100);
  });

  it("starts over when the bytes decrease", () => {
    const rate = new TransferRate();
    rate.add(5000, 0);
    rate.add(9000, 2000);
    rate.add(0, 3000);
    expect(rate.bytesPerSecond).toBeUndefined();
    rate.add(500, 4000);
    expect(rate.bytesPerSecond).toBe(500);
  });

  it("shows no pace when nothing moves", () => {
    const rate = new TransferRate();
    rate.add(5000, 0);
    rate.add(5000, 9000);
    expect(rate.leftMs(6000)).toBeUndefined();
  });
});
