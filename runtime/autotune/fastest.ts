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

/** An operator that every candidate can compute. */
export interface Measurement<Name extends string> {
  /** Runs a candidate for the first time. @throws Error unless its results are correct */
  check(name: Name): Promise<void>;
  /** Milliseconds of one run. */
  time(name: Name): Promise<number>;
}

const ROUNDS = 3;
/**
 * A candidate that is slower than the fastest by this factor is not timed a third time. The first time does not count: it may
 * be at the clock of an idle GPU.
 */
const HOPELESS = 1.5;

/**
 * Checks all candidates, then times the correct ones in turn.
 *
 * @param operator  for the error message
 * @param budgetMs  no round begins after runs have taken this long together
 * @returns the fastest candidate, and the results of all in the order of `names`
 * @throws KleinbildError `unsupported` when no candidate is correct; `device-lost`
 */
export async function fastest<Name extends string>(
  operator: string,
  names: readonly Name[],
  measurement: Measurement<Name>,
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
  for (const name of names) await attempt(name, () => measurement.check(name));
  let spentMs = 0;
  for (let round = 0; round < ROUNDS && spentMs < budgetMs; round++) {
    const limit = HOPELESS * Math.min(...times.values());
    for (const name of names) {
      const before = times.get(name) ?? Infinity;
      if (refusals.has(name) || (round > 1 && before > limit)) continue;
      await attempt(name, async () => {
        const milliseconds = await measurement.time(name);
        spentMs += milliseconds;
        times.set(name, Math.min(before, milliseconds));
      });
    }
  }
  const [first] = [...times].toSorted(([, a], [, b]) => a - b);
  if (!first) {
    const reasons = [...refusals].map(([name, reason]) => `${name}: ${reason}`).join("; ");
    throw new KleinbildError(
      "unsupported",
      `No implementation produced correct results for ${operator} on this adapter: ${reasons}`,
    );
  }
  const candidates = names.map((name): CandidateResult<Name> => {
    const refused = refusals.get(name);
    return refused === undefined ? { name, milliseconds: times.get(name)! } : { name, refused };
  });
  return { fastest: first[0], candidates };
}
