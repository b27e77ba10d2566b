import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildSigmas } from "../../runtime/sampling/schedule.ts";
import { type Scheduler, type SchedulerName, SCHEDULERS } from "../../runtime/sampling/scheduler.ts";
import { compileSolver } from "../../runtime/sampling/solver.ts";
import { runPlan } from "../reference/solver.ts";

const ENTRIES = Object.entries(SCHEDULERS) as [SchedulerName, Scheduler][];

/** Any smooth velocity that is not linear, so that different solvers give different results. */
const velocityAt = (x: number, sigma: number) => Math.sin(2 * x + 3 * sigma) + 0.5 * x;
const results = (solver: Scheduler["solver"], sigmas: ArrayLike<number>) =>
  runPlan(compileSolver(solver, sigmas), [0.4, -1.1, 2], {
    velocity: (x, sigma) => x.map((value) => velocityAt(value, sigma)),
    noise: (i) => [Math.sin(i + 1), Math.cos(3 * i), 0.5],
  });

describe("SCHEDULERS", () => {
  it("has the 75 names of the hosted API", () => expect(ENTRIES).toHaveLength(75));

  it("has no two names with the same solver and spacing, but for those that are declared to be the same", () => {
    const owners = new Map<string, SchedulerName>();
    for (const [name, { solver, spacing, aliasOf }] of ENTRIES) {
      if (aliasOf !== undefined) continue;
      const meaning = `${solver} ${spacing}`;
      expect(owners.get(meaning), `${name} means ${meaning}`).toBeUndefined();
      owners.set(meaning, name);
    }
    for (const [name, { solver, spacing, aliasOf }] of ENTRIES)
      expect(owners.get(`${solver} ${spacing}`), name).toBe(aliasOf ?? name);
  });

  it("has names that give different pictures from six steps on, but for those that are declared to be the same", () => {
    for (const steps of [6, 20]) {
      const seen = new Map<string, SchedulerName>();
      for (const [name, { solver, spacing, aliasOf }] of ENTRIES) {
        if (aliasOf !== undefined) continue;
        const picture = results(solver, buildSigmas({ tokens: 1024, steps, spacing }))
          .map((value) => value.toFixed(4))
          .join(" ");
        expect(seen.get(picture), `${name} in ${steps} steps`).toBeUndefined();
        seen.set(picture, name);
      }
    }
  });

  it("names the spacing in the name", () => {
    for (const [name, { spacing }] of ENTRIES) {
      const said = /Karras|Exponential|Beta/.exec(name)?.[0].toLowerCase();
      expect(spacing, name).toBe(said ?? (name.startsWith("EDM") ? "karras" : "uniform"));
    }
  });

  it("solves with the model's own Euler steps by default", () => {
    for (const name of ["Default", "FlowMatchEulerDiscreteScheduler"] as const)
      expect(SCHEDULERS[name]).toMatchObject({ solver: "euler", spacing: "uniform", order: 1, stochastic: false });
  });

  it("is stochastic where the name says ancestral, SDE, DDPM, LCM or TCD, and nowhere else", () => {
    for (const [name, { stochastic }] of ENTRIES)
      expect(stochastic, name).toBe(/ a$|Ancestral|SDE|DDPM|LCM|TCD/.test(name));
  });

  it("has the order in the name", () => {
    const numbered = ENTRIES.filter(([name]) => / \dM/.test(name));
    expect(numbered).toHaveLength(22);
    for (const [name, { order }] of numbered) expect(order, name).toBe(Number(/ (\d)M/.exec(name)![1]));
  });
});

describe("names that are another's because the flow makes them so", () => {
  const sigmas = [1, 0.9, 0.7, 0.4, 0.15, 0];
  const from = sigmas.slice(0, -1);

  it("DDIM without noise, x' = α' · x0 + σ' · ε, is the Euler step", () => {
    let x = [0.4, -1.1, 2];
    for (const [i, sigma] of from.entries()) {
      const next = sigmas[i + 1]!;
      x = x.map((value) => {
        const velocity = velocityAt(value, sigma);
        return (1 - next) * (value - sigma * velocity) + next * (value + (1 - sigma) * velocity);
      });
    }
    for (const [j, value] of results("euler", sigmas).entries()) expect(x[j]).toBeCloseTo(value, 12);
  });

  it("EDM's Euler step for x / α over σ / α is the Euler step", () => {
    const below1 = [0.95, ...sigmas.slice(1)];
    let x = [0.4, -1.1, 2];
    for (const [i, sigma] of below1.slice(0, -1).entries()) {
      const next = below1[i + 1]!;
      const [now, then] = [sigma / (1 - sigma), next / (1 - next)];
      x = x.map((value) => {
        const scaled = value / (1 - sigma);
        const picture = value - sigma * velocityAt(value, sigma);
        return (1 - next) * (scaled + ((scaled - picture) / now) * (then - now));
      });
    }
    for (const [j, value] of results("euler", below1).entries()) expect(x[j]).toBeCloseTo(value, 12);
  });

  it("EDM's DPM-Solver++ (2M) for x / α over σ / α is DPM-Solver++ (2M)", () => {
    const below1 = [0.95, ...sigmas.slice(1)];
    const time = below1.map((sigma) => -Math.log(sigma / (1 - sigma)));
    let x = [0.4, -1.1, 2].map((value) => value / (1 - below1[0]!));
    let before: readonly number[] = [];
    for (const [i, sigma] of below1.slice(0, -1).entries()) {
      const pictures = x.map((scaled) => {
        const value = scaled * (1 - sigma);
        return value - sigma * velocityAt(value, sigma);
      });
      const h = time[i + 1]! - time[i]!;
      const first = i === 0 || i === below1.length - 2;
      const slope = first ? 0 : h / (time[i]! - time[i - 1]!) / 2;
      x = x.map((scaled, j) => {
        const picture = pictures[j]! + (first ? 0 : slope * (pictures[j]! - before[j]!));
        return Math.exp(-h) * scaled - Math.expm1(-h) * picture;
      });
      before = pictures;
    }
    for (const [j, value] of results("dpmpp-2m", below1).entries()) expect(x[j]).toBeCloseTo(value, 12);
  });
});

describe("docs/schedulers.md", () => {
  const page = readFileSync(new URL("../../docs/schedulers.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name, rest]) => ({
    name: name!,
    cells: rest!.split("|").map((cell) => cell.trim()),
  }));

  it("has a row for every name, and no other", () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(SCHEDULERS).toSorted());
  });

  it.each(rows)("says of $name what it is", ({ name, cells }) => {
    const [solver, order, stochastic, spacing, evaluations, remarks] = cells;
    const scheduler = SCHEDULERS[name as SchedulerName];
    expect({ solver, order: Number(order), stochastic: stochastic === "yes", spacing }).toEqual({
      solver: scheduler.solver,
      order: scheduler.order,
      stochastic: scheduler.stochastic,
      spacing: scheduler.spacing,
    });
    const alias = /^= `([^`]+)`/.exec(remarks!)?.[1];
    expect(alias).toBe(scheduler.aliasOf);
    const steps = 10;
    const counts: Readonly<Record<string, number>> = { n: steps, "2n − 1": 2 * steps - 1, "n + 9": steps + 9 };
    const sigmas = buildSigmas({ tokens: 1024, steps, spacing: scheduler.spacing });
    expect(compileSolver(scheduler.solver, sigmas)).toHaveLength(counts[evaluations!]!);
  });
});
