import { KleinbildError } from "../errors.ts";
import { planIpndm, planLms, planPndm } from "./solvers/adams.ts";
import { planEulerAncestral, planKdpm2Ancestral } from "./solvers/ancestral.ts";
import { planLcm, planTcd } from "./solvers/consistency.ts";
import { planDeis } from "./solvers/deis.ts";
import { planDpmMultistep } from "./solvers/dpm-multistep.ts";
import { planDpmSde } from "./solvers/dpm-sde.ts";
import { planDpmSinglestep } from "./solvers/dpm-singlestep.ts";
import { planEuler } from "./solvers/euler.ts";
import { planDdpm } from "./solvers/posterior.ts";
import { type Evaluation, withoutUnread } from "./solvers/program.ts";
import { planHeun, planKdpm2 } from "./solvers/two-stage.ts";
import { planUniPc } from "./solvers/unipc.ts";

export type { Assignment, Evaluation, Register, Term } from "./solvers/program.ts";

export interface Solver {
  /** Of accuracy, as its name says; schedules whose steps differ in length and first or last steps may have less. */
  readonly order: number;
  /** Whether it adds noise on the way. */
  readonly stochastic: boolean;
  /** @param sigmas [steps + 1], strictly falling, within 1 … 0 */
  readonly plan: (sigmas: readonly number[]) => readonly Evaluation[];
}

/** Solvers of the flow dx/dσ = velocity, with x = (1 − σ) · x0 + σ · noise. */
export const SOLVERS = {
  euler: { order: 1, stochastic: false, plan: planEuler },
  "euler-ancestral": { order: 1, stochastic: true, plan: planEulerAncestral },
  heun: { order: 2, stochastic: false, plan: planHeun },
  kdpm2: { order: 2, stochastic: false, plan: planKdpm2 },
  "kdpm2-ancestral": { order: 2, stochastic: true, plan: planKdpm2Ancestral },
  "dpmpp-2m": { order: 2, stochastic: false, plan: (sigmas) => planDpmMultistep(sigmas, 2, "ode") },
  "dpmpp-3m": { order: 3, stochastic: false, plan: (sigmas) => planDpmMultistep(sigmas, 3, "ode") },
  "dpmpp-2m-sde": { order: 2, stochastic: true, plan: (sigmas) => planDpmMultistep(sigmas, 2, "sde") },
  "dpmpp-3m-sde": { order: 3, stochastic: true, plan: (sigmas) => planDpmMultistep(sigmas, 3, "sde") },
  "dpmpp-singlestep": { order: 2, stochastic: false, plan: planDpmSinglestep },
  "dpmpp-sde": { order: 2, stochastic: true, plan: planDpmSde },
  deis: { order: 2, stochastic: false, plan: planDeis },
  "unipc-2": { order: 2, stochastic: false, plan: (sigmas) => planUniPc(sigmas, 2) },
  "unipc-3": { order: 3, stochastic: false, plan: (sigmas) => planUniPc(sigmas, 3) },
  lms: { order: 4, stochastic: false, plan: planLms },
  ipndm: { order: 4, stochastic: false, plan: planIpndm },
  pndm: { order: 4, stochastic: false, plan: planPndm },
  ddpm: { order: 1, stochastic: true, plan: planDdpm },
  lcm: { order: 1, stochastic: true, plan: planLcm },
  tcd: { order: 1, stochastic: true, plan: planTcd },
} as const satisfies Readonly<Record<string, Solver>>;

export type SolverName = keyof typeof SOLVERS;

/**
 * What a solver does over a schedule, as a linear program: every update is a linear combination of latents, velocities,
 * kept predictions and noise, with factors that the schedule alone decides. `runtime/sampling/solver-run.ts` executes it.
 *
 * The first evaluation is at the first sigma; after the last one x is at the last sigma. All factors are finite.
 *
 * @param sigmas [steps + 1], strictly falling, within 1 … 0
 * @throws KleinbildError `internal` for other sigmas
 */
export function planSolver(solver: SolverName, sigmas: ArrayLike<number>): readonly Evaluation[] {
  const schedule = Array.from(sigmas);
  const falls = schedule.every((sigma, i) => sigma >= 0 && sigma < (i === 0 ? Infinity : schedule[i - 1]!));
  if (schedule.length < 2 || schedule[0]! > 1 || !falls)
    throw new KleinbildError(
      "internal",
      `A solver needs at least two sigmas that fall within 1 … 0; got ${schedule.slice(0, 8).join(", ")}.`,
    );
  return withoutUnread(SOLVERS[solver].plan(schedule));
}
