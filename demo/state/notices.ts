import { Observable } from "./observable.ts";

/** A short message with, at most, one thing to do about it. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: "info" | "error";
  readonly action?: { readonly label: string; readonly run: () => void };
}

const SHOWN_MS = 8000;
/** Older ones go, so that they do not cover the page. */
const MOST_OFFERS = 3;

/**
 * Messages that go by themselves, except those that somebody may need time for: errors stay until they are dismissed, and
 * what offers something to do until it is done or dismissed, or there are too many.
 */
export class Notices extends Observable {
  #notices: readonly Notice[] = [];
  #last = 0;

  get list(): readonly Notice[] {
    return this.#notices;
  }

  info(text: string, action?: Notice["action"]): void {
    const { id } = this.#add({ text, kind: "info", ...(action && { action }) });
    if (!action) setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  error(error: unknown): void {
    this.#add({ text: messageOf(error), kind: "error" });
  }

  dismiss(id: number): void {
    this.#notices = this.#notices.filter((notice) => notice.id !== id);
    this.changed();
  }

  #add(notice: Omit<Notice, "id">): Notice {
    const added = { ...notice, id: ++this.#last };
    // the same again takes its place, unless there is something to do about each, such as two pictures to bring back
    const others = this.#notices.filter(({ text, action }) => text !== notice.text || action);
    const offers = [...others, added].filter(({ action }) => action);
    const tooMany = new Set(offers.slice(0, -MOST_OFFERS));
    this.#notices = [...others, added].filter((one) => !tooMany.has(one));
    this.changed();
    return added;
  }
}

export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^[a-z](?=[a-z]* )/, (first) => first.toUpperCase()); // names of files stay as they are
}
