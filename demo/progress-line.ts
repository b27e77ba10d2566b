import { find } from "./dom.ts";
import { formatTime } from "./format.ts";
import type { Stage } from "./run-stages.ts";

const TICK_MS = 1000;

/** What is going on, how far it is and for how long. Only what is going on is announced to screen readers. */
export class ProgressLine {
  readonly #status = find("status", HTMLSpanElement);
  readonly #amount = find("amount", HTMLSpanElement);
  readonly #bar = find("progress", HTMLProgressElement);
  #started = 0;
  #timer: number | undefined;
  #note = "";

  begin(status: string): void {
    window.clearInterval(this.#timer);
    this.#started = performance.now();
    this.#timer = window.setInterval(() => this.#tick(), TICK_MS);
    this.#bar.hidden = false;
    this.update({ status, done: 0, of: 1 });
  }

  update({ status, done, of, note = "" }: Stage): void {
    // the same text written again would be announced again
    if (this.#status.textContent !== status) this.#status.textContent = status;
    this.#note = note;
    this.#bar.max = of;
    this.#bar.value = done;
    this.#tick();
  }

  end(status: string): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
    this.#status.textContent = status;
    this.#amount.textContent = "";
    this.#bar.hidden = true;
  }

  #tick(): void {
    const seconds = Math.floor((performance.now() - this.#started) / TICK_MS);
    const elapsed = seconds > 0 ? formatTime(seconds * TICK_MS) : "";
    this.#amount.textContent = this.#note || elapsed;
  }
}
