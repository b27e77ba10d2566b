import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CaseRun, type SharedRun } from "../../../bench/bench-case.ts";
import { CASES } from "../../../bench/case-list.ts";
import { resolveChoice } from "../../../bench/options.ts";
import { PAGE_CASES } from "../../../bench/run-cases.ts";

const DOCS = new URL("../../../docs/benchmark.md", import.meta.url);

function caseRun(endMs: number, signal?: AbortSignal): CaseRun {
  const choice = resolveChoice({ seconds: 60 });
  const shared: SharedRun = { platform: {} as SharedRun["platform"], choice, signal, roofline: undefined };
  return new CaseRun(shared, endMs, () => {});
}

describe("the cases", () => {
  it("match the table in docs/benchmark.md, including where they run", () => {
    const documented = [...readFileSync(DOCS, "utf8").matchAll(/^\| `([\w-]+)` *\|([^|]*)\|/gm)];
    expect(documented.map(([, name, where]) => [name, where!.trim()])).toEqual(
      Object.entries(CASES).map(([name, { byDefault, nodeOnly }]) => [
        name,
        byDefault ? "yes" : nodeOnly ? "Node only" : "",
      ]),
    );
  });

  it("run in a page unless they need Node", () =>
    expect(Object.keys(PAGE_CASES)).toEqual(
      Object.entries(CASES)
        .filter(([, { nodeOnly }]) => !nodeOnly)
        .map(([name]) => name),
    ));
});

describe("a case", () => {
  it("has time until its end, and leaves no note then", () => {
    const run = caseRun(performance.now() + 60_000);
    expect(run.hasTime()).toBe(true);
    expect(run.notes).toEqual([]);
  });

  it("has none afterwards, and says so once", () => {
    const run = caseRun(performance.now());
    expect([run.hasTime(), run.hasTime()]).toEqual([false, false]);
    expect(run.notes).toEqual(["Cut short to keep the run within 60 s."]);
  });

  it("ends with the reason of its signal", () => {
    const reason = new Error("enough");
    expect(() => caseRun(Infinity, AbortSignal.abort(reason)).hasTime()).toThrow(reason);
  });
});
