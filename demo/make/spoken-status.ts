/** A phase that lasts is told again, with its numbers, after this long. */
const REMINDER_MS = 10_000;
/** Phases that go by faster than they can be heard are left out. */
const SHORTEST_MS = 1500;

/** What a live region says of a status that changes often: its phases, and its numbers only now and then. */
export class SpokenStatus {
  #text = "";
  #phase = "";
  #since = -Infinity;

  get text(): string {
    return this.#text;
  }

  /** @param now  milliseconds */
  progress(status: string, now: number): void {
    const phase = status.replaceAll(/\d+/g, "");
    const rest = phase === this.#phase ? REMINDER_MS : SHORTEST_MS;
    if (now - this.#since >= rest) this.#say(status, phase, now);
  }

  /** How something ended is always told. */
  end(status: string, now: number): void {
    if (status !== this.#text) this.#say(status, status, now);
  }

  #say(text: string, phase: string, now: number): void {
    this.#text = text;
    this.#phase = phase;
    this.#since = now;
  }
}
