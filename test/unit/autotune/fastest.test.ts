import { describe, expect, it } from "vitest";
import { fastest, type Measurement } from "../../../runtime/autotune/fastest.ts";
import { KleinbildError } from "../../../runtime/errors.ts";

interface Candidate {
  /** Milliseconds of its runs, the last one for all that follow. */
  readonly takes?: readonly number[];
  readonly fails?: Error;
  readonly failsWhenTimed?: Error;
}

class FakeMeasurement implements Measurement<string> {
  readonly checked: string[] = [];
  readonly timed: string[] = [];
  readonly #candidates: Readonly<Record<string, Candidate>>;

  constructor(candidates: Readonly<Record<string, Candidate>>) {
    this.#candidates = candidates;
  }

  async check(name: string): Promise<void> {
    this.checked.push(name);
    const { fails } = this.#candidates[name]!;
    if (fails) throw fails;
  }

  async time(name: string): Promise<number> {
    const run = this.timed.filter((timed) => timed === name).length;
    this.timed.push(name);
    const { takes = [1], failsWhenTimed } = this.#candidates[name]!;
    if (failsWhenTimed) throw failsWhenTimed;
    return takes[Math.min(run, takes.length - 1)]!;
  }

  fastest(budgetMs = 1000): ReturnType<typeof fastest<string>> {
    return fastest("a product", Object.keys(this.#candidates), this, budgetMs);
  }
}

describe("the fastest candidate", () => {
  it("checks every candidate before any is timed, then times them in turn", async () => {
    const measurement = new FakeMeasurement({ a: { takes: [3] }, b: { takes: [4] } });
    expect(await measurement.fastest()).toEqual({
      fastest: "a",
      candidates: [
        { name: "a", milliseconds: 3 },
        { name: "b", milliseconds: 4 },
      ],
    });
    expect(measurement.checked).toEqual(["a", "b"]);
    expect(measurement.timed).toEqual(["a", "b", "a", "b", "a", "b"]);
  });

  it("goes by the shortest run, since others only add to a run", async () => {
    const measurement = new FakeMeasurement({ a: { takes: [5] }, b: { takes: [7, 2, 9] } });
    expect((await measurement.fastest()).fastest).toBe("b");
  });

  it("leaves out a candidate with a wrong result, and never times it", async () => {
    const measurement = new FakeMeasurement({
      wrong: { fails: new Error("computed 1 instead of 2"), takes: [0] },
      right: {},
    });
    expect(await measurement.fastest()).toEqual({
      fastest: "right",
      candidates: [
        { name: "wrong", refused: "computed 1 instead of 2" },
        { name: "right", milliseconds: 1 },
      ],
    });
    expect(measurement.timed).not.toContain("wrong");
  });

  it("leaves out a candidate that fails during timing", async () => {
    const measurement = new FakeMeasurement({ a: { failsWhenTimed: new Error("no memory") }, b: { takes: [9] } });
    expect(await measurement.fastest()).toMatchObject({ fastest: "b", candidates: [{ refused: "no memory" }, {}] });
  });

  it("times much slower candidates twice, and nearly equal ones again", async () => {
    const measurement = new FakeMeasurement({ fast: { takes: [10] }, near: { takes: [15] }, slow: { takes: [15.1] } });
    expect((await measurement.fastest()).fastest).toBe("fast");
    const runs = (name: string): number => measurement.timed.filter((timed) => timed === name).length;
    expect([runs("fast"), runs("near"), runs("slow")]).toEqual([3, 3, 2]);
  });

  it("begins no round when the budget is used up, and always one", async () => {
    const measurement = new FakeMeasurement({ a: { takes: [300] }, b: { takes: [200] } });
    expect((await measurement.fastest(500)).fastest).toBe("b");
    expect(measurement.timed).toEqual(["a", "b"]);
  });

  it("says of each why, where nothing is left", async () => {
    const measurement = new FakeMeasurement({ a: { fails: new Error("wrong") }, b: { fails: new Error("too large") } });
    await expect(measurement.fastest()).rejects.toMatchObject({
      code: "unsupported",
      message: "No implementation produced correct results for a product on this adapter: a: wrong; b: too large",
    });
  });

  it("gives up at once when the device is lost", async () => {
    const lost = new KleinbildError("device-lost", "gone");
    const measurement = new FakeMeasurement({ a: { fails: lost }, b: {} });
    await expect(measurement.fastest()).rejects.toBe(lost);
    expect(measurement.checked).toEqual(["a"]);
  });
});
