import { Workbox } from "workbox-window";
import { Observable } from "../state/observable.ts";
import { isNoRoom } from "./messages.ts";

/**
 * - `unsupported`: this browser, or a page that came without TLS, keeps nothing for later.
 * - `installing`: the files are being kept; until that is done the page needs the network.
 * - `ready`: the page works offline.
 * - `update-waiting`: it does, and a new version is there for whom wants it: see `apply`.
 * - `failed`: it does not; `reason` says why. The next visit tries again.
 */
export type OfflineState = "unsupported" | "installing" | "ready" | "update-waiting" | "failed";

/** Says more than what the browser tells of the same failure. */
const NO_ROOM = "no room";

/** Keeps the page for use without a network, and knows of new versions. */
export class Offline extends Observable {
  readonly #container = "serviceWorker" in navigator ? navigator.serviceWorker : undefined;
  #state: OfflineState = this.#container ? (this.#container.controller ? "ready" : "installing") : "unsupported";
  #reason: string | undefined;
  #workbox: Workbox | undefined;
  /** Whether a version has this page already, so that the next one to take it is another. */
  #controlled = this.#state === "ready";
  #applying = false;

  get state(): OfflineState {
    return this.#state;
  }

  /** Why the page does not work offline, in a few words, after `failed`. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** @param script  address of the service worker, relative to the page; registered once the page has loaded */
  async start(script: string): Promise<void> {
    if (!this.#container || this.#workbox) return;
    const workbox = new Workbox(script, { updateViaCache: "none" });
    this.#workbox = workbox;
    workbox.addEventListener("activated", () => this.#onActive());
    workbox.addEventListener("waiting", () => this.#become("update-waiting"));
    workbox.addEventListener("controlling", () => this.#onControlling());
    workbox.addEventListener("message", ({ data }) => {
      if (isNoRoom(data)) this.#fail(NO_ROOM);
    });
    try {
      const registration = await workbox.register();
      if (registration?.active) this.#onActive();
      // an update that could not be kept leaves the version that is there
      workbox.addEventListener("redundant", () => {
        if (!registration?.active) this.#fail("not all files could be loaded");
      });
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  /** Goes over to the version that waits, by loading the page again. Does nothing unless one waits. */
  apply(): void {
    if (this.#state !== "update-waiting" || this.#applying) return;
    this.#applying = true;
    void this.#container?.getRegistration().then((registration) => {
      if (registration?.waiting) this.#workbox?.messageSkipWaiting();
      else location.reload(); // another tab has applied it
    });
  }

  #onActive(): void {
    if (this.#state === "installing") this.#become("ready");
  }

  /** A first version takes the page as it is; another one that was not asked for here was asked for in another tab. */
  #onControlling(): void {
    if (this.#applying) location.reload();
    else if (this.#controlled) this.#become("update-waiting");
    this.#controlled = true;
  }

  #fail(reason: string): void {
    if (this.#state === "ready" || this.#state === "update-waiting" || this.#reason === NO_ROOM) return;
    this.#reason = reason;
    this.#become("failed");
  }

  #become(state: OfflineState): void {
    this.#state = state;
    this.changed();
  }
}
