import { KleinbildError } from "../errors.ts";

/** The result of a candidate. */
export interface CandidateResult<Name extends string> {
  /** The candidate. */
  readonly name: Name;
  /** Its shortest run. Absent when it was refused. */
  readonly milliseconds?: number;
  /** Why it was refused: its wrong result, or its error. Absent otherwise. */
  readonly refused?: string;
}

/** One operator that candidates compute. */
export interface Candidates<Name extends string> {
  /** Runs a candidate for the first time. @throws Error unless its results are right */
  check(name: Name): Promise<void>;
  /** Milliseconds of one run. */
  time(name: Name): Promise<number>;
}

const ROUNDS = 3;
/** So much slower than the fastest, a candidate needs no third look; the first may be at the clock of an idle GPU. */
const HOPELESS = 1.5;

/**
 * Checks all candidates, then times those that are right, in turn.
 *
 * @param what      the operator, for the error
 * @param budgetMs  no round begins when runs have taken this long
 * @returns the fastest, and what became of each in the order given
 * @throws KleinbildError `unsupported` when none is right; `device-lost`
 */
export async function fastest<Name extends string>(
  what: string,
  names: readonly Name[],
  trial: Candidates<Name>,
  budgetMs: number,
): Promise<{ readonly fastest: Name; readonly candidates: readonly CandidateResult<Name>[] }> {
  const refusals = new Map<Name, string>();
  const times = new Map<Name, number>();
  const attempt = async (name: Name, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof KleinbildError && error.code === "device-lost") throw error;
      refusals.set(name, error instanceof Error ? error.message : String(error));
      times.delete(name);
    }
  };
  for (const name of names) await attempt(name, () => trial.check(name));
  let spentMs = 0;
  for (let round = 0; round < ROUNDS && spentMs < budgetMs; round++) {
    const limit = HOPELESS * Math.min(...times.values());
    for (const name of names) {
      const before = times.get(name) ?? Infinity;
      if (refusals.has(name) || (round > 1 && before > limit)) continue;
      await attempt(name, async () => {
        const milliseconds = await trial.time(name);
        spentMs += milliseconds;
        times.set(name, Math.min(before, milliseconds));
      });
    }
  }
  const [first] = [...times].toSorted(([, a], [, b]) => a - b);
  if (!first)
    throw new KleinbildError(
      "unsupported",
      `Nothing computes ${what} rightly on this adapter: ${[...refusals].map(([name, why]) => `${name}: ${why}`).join("; ")}`,
    );
  const candidates = names.map((name): CandidateResult<Name> => {
    const refused = refusals.get(name);
    return refused === undefined ? { name, milliseconds: times.get(name)! } : { name, refused };
  });
  return { fastest: first[0], candidates };
}
