import type { SigmaSpacing } from "./schedule.ts";
import { type SolverName, SOLVERS } from "./solver.ts";

/** Names with a meaning of their own: the solver, and the spacing of the sigmas. No two rows are alike. */
const MEANINGS = {
  Euler: ["euler", "uniform"],
  "Euler Beta": ["euler", "beta"],
  "Euler Exponential": ["euler", "exponential"],
  "Euler Karras": ["euler", "karras"],
  "Euler a": ["euler-ancestral", "uniform"],
  Heun: ["heun", "uniform"],
  "Heun Karras": ["heun", "karras"],
  KDPM2DiscreteScheduler: ["kdpm2", "uniform"],
  KDPM2AncestralDiscreteScheduler: ["kdpm2-ancestral", "uniform"],
  "DPM++": ["dpmpp-singlestep", "uniform"],
  "DPM++ Beta": ["dpmpp-singlestep", "beta"],
  "DPM++ Exponential": ["dpmpp-singlestep", "exponential"],
  "DPM++ Karras": ["dpmpp-singlestep", "karras"],
  "DPM++ SDE": ["dpmpp-sde", "uniform"],
  "DPM++ SDE Beta": ["dpmpp-sde", "beta"],
  "DPM++ SDE Exponential": ["dpmpp-sde", "exponential"],
  "DPM++ SDE Karras": ["dpmpp-sde", "karras"],
  "DPM++ 2M": ["dpmpp-2m", "uniform"],
  "DPM++ 2M Beta": ["dpmpp-2m", "beta"],
  "DPM++ 2M Exponential": ["dpmpp-2m", "exponential"],
  "DPM++ 2M Karras": ["dpmpp-2m", "karras"],
  "DPM++ 2M SDE": ["dpmpp-2m-sde", "uniform"],
  "DPM++ 2M SDE Beta": ["dpmpp-2m-sde", "beta"],
  "DPM++ 2M SDE Exponential": ["dpmpp-2m-sde", "exponential"],
  "DPM++ 2M SDE Karras": ["dpmpp-2m-sde", "karras"],
  "DPM++ 3M": ["dpmpp-3m", "uniform"],
  "DPM++ 3M Beta": ["dpmpp-3m", "beta"],
  "DPM++ 3M Exponential": ["dpmpp-3m", "exponential"],
  "DPM++ 3M Karras": ["dpmpp-3m", "karras"],
  "DPM++ 3M SDE Uniform": ["dpmpp-3m-sde", "uniform"],
  DEISMultistepScheduler: ["deis", "uniform"],
  "UniPC 2M": ["unipc-2", "uniform"],
  "UniPC 2M Karras": ["unipc-2", "karras"],
  "UniPC Uniform Beta": ["unipc-2", "beta"],
  "UniPC Uniform Exponential": ["unipc-2", "exponential"],
  "UniPC 3M": ["unipc-3", "uniform"],
  "UniPC 3M Karras": ["unipc-3", "karras"],
  LMS: ["lms", "uniform"],
  "LMS Karras": ["lms", "karras"],
  IPNDMScheduler: ["ipndm", "uniform"],
  "IPNDM Uniform Beta": ["ipndm", "beta"],
  "IPNDM Uniform Exponential": ["ipndm", "exponential"],
  "IPNDM Uniform Karras": ["ipndm", "karras"],
  PNDMScheduler: ["pndm", "uniform"],
  DDPMScheduler: ["ddpm", "uniform"],
  LCM: ["lcm", "uniform"],
  TCDScheduler: ["tcd", "uniform"],
} as const satisfies Readonly<Record<string, readonly [SolverName, SigmaSpacing]>>;

/** Other names for the same; docs/schedulers.md gives the reason for each. */
const ALIASES = {
  Default: "Euler",
  FlowMatchEulerDiscreteScheduler: "Euler",
  "Euler DiscreteScheduler": "Euler",
  DDIM: "Euler",
  DDIMScheduler: "Euler",
  EDMEulerScheduler: "Euler Karras",
  EulerAncestralDiscreteScheduler: "Euler a",
  HeunDiscreteScheduler: "Heun",
  DPMSolverSinglestepScheduler: "DPM++",
  "DPM++ Uniform": "DPM++",
  "DPM++ Uniform Beta": "DPM++ Beta",
  "DPM++ Uniform Exponential": "DPM++ Exponential",
  "DPM++ Uniform Karras": "DPM++ Karras",
  DPMSolverMultistepScheduler: "DPM++ 2M",
  DPMSolverMultistepInverse: "DPM++ 2M",
  "DPM++ 2M Uniform": "DPM++ 2M",
  EDMDPMSolverMultistepScheduler: "DPM++ 2M Karras",
  "DPM++ 2M SDE Uniform": "DPM++ 2M SDE",
  "DPM++ 3M Uniform": "DPM++ 3M",
  UniPC: "UniPC 2M",
  "UniPC Uniform": "UniPC 2M",
  "UniPC 2M Uniform": "UniPC 2M",
  "UniPC Karras": "UniPC 2M Karras",
  "UniPC Uniform Karras": "UniPC 2M Karras",
  "UniPC 3M Uniform": "UniPC 3M",
  LMSDiscreteScheduler: "LMS",
  "IPNDM Uniform": "IPNDMScheduler",
  LCMScheduler: "LCM",
} as const satisfies Readonly<Record<string, keyof typeof MEANINGS>>;

/** A scheduler name of the hosted API; docs/schedulers.md describes all of them. */
export type SchedulerName = keyof typeof SCHEDULERS;

/** The meaning of a scheduler name. */
export interface Scheduler {
  /** The method that solves the flow from noise to picture. */
  readonly solver: SolverName;
  /** The solver's order of accuracy. */
  readonly order: number;
  /** Whether it adds noise on the way. */
  readonly stochastic: boolean;
  /** How the noise levels are spaced. */
  readonly spacing: SigmaSpacing;
  /** The main name of the same scheduler. Absent for a main name. */
  readonly aliasOf?: SchedulerName | undefined;
}

/** All schedulers by name. */
export const SCHEDULERS = buildTable();

export const SCHEDULER_NAMES: readonly SchedulerName[] = (Object.keys(SCHEDULERS) as SchedulerName[]).toSorted();

function buildTable(): Readonly<Record<keyof typeof MEANINGS | keyof typeof ALIASES, Scheduler>> {
  const table: Partial<Record<string, Scheduler>> = {};
  for (const name of Object.keys(MEANINGS) as (keyof typeof MEANINGS)[]) {
    const [solver, spacing] = MEANINGS[name];
    const { order, stochastic } = SOLVERS[solver];
    table[name] = { solver, order, stochastic, spacing };
  }
  for (const name of Object.keys(ALIASES) as (keyof typeof ALIASES)[])
    table[name] = { ...table[ALIASES[name]]!, aliasOf: ALIASES[name] };
  return table as ReturnType<typeof buildTable>;
}
