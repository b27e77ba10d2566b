import type { ReactiveController, ReactiveControllerHost } from "lit";

/** State that says when it changed. */
export class Observable extends EventTarget {
  protected changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

/** Renders its host again whenever one of the sources changes, while the host is on the page. */
export class Observing implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #sources: readonly Observable[];

  constructor(host: ReactiveControllerHost, sources: readonly Observable[]) {
    this.#host = host;
    this.#sources = sources;
    host.addController(this);
  }

  hostConnected(): void {
    for (const source of this.#sources) source.addEventListener("change", this.#update);
    this.#update(); // what changed meanwhile
  }

  hostDisconnected(): void {
    for (const source of this.#sources) source.removeEventListener("change", this.#update);
  }

  readonly #update = (): void => this.#host.requestUpdate();
}
