import { KleinbildError } from "../errors.ts";
import { compileIpndm, compileLms, compilePndm } from "./solvers/adams.ts";
import { compileEulerAncestral, compileKdpm2Ancestral } from "./solvers/ancestral.ts";
import { compileLcm, compileTcd } from "./solvers/consistency.ts";
import { compileDeis } from "./solvers/deis.ts";
import { compileDpmMultistep } from "./solvers/dpm-multistep.ts";
import { compileDpmSde } from "./solvers/dpm-sde.ts";
import { compileDpmSinglestep } from "./solvers/dpm-singlestep.ts";
import { compileEuler } from "./solvers/euler.ts";
import { compileDdpm } from "./solvers/posterior.ts";
import { type Evaluation, withoutUnread } from "./solvers/program.ts";
import { compileHeun, compileKdpm2 } from "./solvers/two-stage.ts";
import { compileUniPc } from "./solvers/unipc.ts";

export interface Solver {
  /** Of accuracy, as its name says; schedules whose steps differ in length and first or last steps may have less. */
  readonly order: number;
  /** Whether it adds noise on the way. */
  readonly stochastic: boolean;
  /** @param sigmas [steps + 1], strictly falling, within 1 … 0 */
  readonly compile: (sigmas: readonly number[]) => readonly Evaluation[];
}

/** The name of a solver; docs/schedulers.md describes them. */
export type SolverName =
  | "euler"
  | "euler-ancestral"
  | "heun"
  | "kdpm2"
  | "kdpm2-ancestral"
  | "dpmpp-2m"
  | "dpmpp-3m"
  | "dpmpp-2m-sde"
  | "dpmpp-3m-sde"
  | "dpmpp-singlestep"
  | "dpmpp-sde"
  | "deis"
  | "unipc-2"
  | "unipc-3"
  | "lms"
  | "ipndm"
  | "pndm"
  | "ddpm"
  | "lcm"
  | "tcd";

/** Solvers of the flow dx/dσ = velocity, with x = (1 − σ) · x0 + σ · noise. */
export const SOLVERS: Readonly<Record<SolverName, Solver>> = {
  euler: { order: 1, stochastic: false, compile: compileEuler },
  "euler-ancestral": { order: 1, stochastic: true, compile: compileEulerAncestral },
  heun: { order: 2, stochastic: false, compile: compileHeun },
  kdpm2: { order: 2, stochastic: false, compile: compileKdpm2 },
  "kdpm2-ancestral": { order: 2, stochastic: true, compile: compileKdpm2Ancestral },
  "dpmpp-2m": { order: 2, stochastic: false, compile: (sigmas) => compileDpmMultistep(sigmas, 2, "ode") },
  "dpmpp-3m": { order: 3, stochastic: false, compile: (sigmas) => compileDpmMultistep(sigmas, 3, "ode") },
  "dpmpp-2m-sde": { order: 2, stochastic: true, compile: (sigmas) => compileDpmMultistep(sigmas, 2, "sde") },
  "dpmpp-3m-sde": { order: 3, stochastic: true, compile: (sigmas) => compileDpmMultistep(sigmas, 3, "sde") },
  "dpmpp-singlestep": { order: 2, stochastic: false, compile: compileDpmSinglestep },
  "dpmpp-sde": { order: 2, stochastic: true, compile: compileDpmSde },
  deis: { order: 2, stochastic: false, compile: compileDeis },
  "unipc-2": { order: 2, stochastic: false, compile: (sigmas) => compileUniPc(sigmas, 2) },
  "unipc-3": { order: 3, stochastic: false, compile: (sigmas) => compileUniPc(sigmas, 3) },
  lms: { order: 4, stochastic: false, compile: compileLms },
  ipndm: { order: 4, stochastic: false, compile: compileIpndm },
  pndm: { order: 4, stochastic: false, compile: compilePndm },
  ddpm: { order: 1, stochastic: true, compile: compileDdpm },
  lcm: { order: 1, stochastic: true, compile: compileLcm },
  tcd: { order: 1, stochastic: true, compile: compileTcd },
};

/**
 * The program of a solver over a schedule: every update is a linear combination of latents, velocities,
 * earlier predictions and noise, with factors that the schedule alone decides. `runtime/sampling/solver-run.ts` executes it.
 *
 * The first evaluation is at the first sigma; after the last one x is at the last sigma. All factors are finite.
 *
 * @param sigmas [steps + 1], strictly falling, within 1 … 0
 * @throws KleinbildError `internal` for other sigmas
 */
export function compileSolver(solver: SolverName, sigmas: ArrayLike<number>): readonly Evaluation[] {
  const schedule = Array.from(sigmas);
  const falls = schedule.every((sigma, i) => sigma >= 0 && sigma < (i === 0 ? Infinity : schedule[i - 1]!));
  if (schedule.length < 2 || schedule[0]! > 1 || !falls)
    throw new KleinbildError(
      "internal",
      `A solver needs at least two sigmas that fall within 1 … 0; got ${schedule.slice(0, 8).join(", ")}.`,
    );
  return withoutUnread(SOLVERS[solver].compile(schedule));
}
