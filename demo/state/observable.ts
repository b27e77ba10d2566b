import type { ReactiveController, ReactiveControllerHost } from "lit";

/** State that says when it changed. */
export class Observable extends EventTarget {
  protected changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Renders an element again whenever one of its sources changes, while it is on the page.
 *
 * @param sources  asked for when the element comes on the page and has its properties
 */
export function observe(host: ReactiveControllerHost, sources: () => readonly Observable[]): void {
  host.addController(new Observing(host, sources));
}

class Observing implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #sources: () => readonly Observable[];
  #observed: readonly Observable[] = [];

  constructor(host: ReactiveControllerHost, sources: () => readonly Observable[]) {
    this.#host = host;
    this.#sources = sources;
  }

  hostConnected(): void {
    this.#observed = this.#sources();
    for (const source of this.#observed) source.addEventListener("change", this.#update);
    this.#update(); // what changed meanwhile
  }

  hostDisconnected(): void {
    for (const source of this.#observed) source.removeEventListener("change", this.#update);
  }

  readonly #update = (): void => this.#host.requestUpdate();
}
