import type { Availability, LoadEvent } from "../../runtime/index.ts";
import type { ComputeOptions } from "../state/engine-session.ts";
import type { ModelChoice } from "../studio-types.ts";
import { Observable } from "../state/observable.ts";
import type { Library } from "./library.ts";
import { choiceOf, forgetRequest, type ModelRequest, rememberRequest, storedChoice } from "./model-request.ts";
import { TransferRate } from "./transfer-rate.ts";

/** What is known of the pace. */
interface Transfer {
  readonly event: LoadEvent;
  readonly bytesPerSecond: number | undefined;
  readonly leftMs: number | undefined;
}

export type LoadState =
  | { readonly status: "idle" }
  | { readonly status: "checking" }
  | { readonly status: "checked"; readonly availability: Availability }
  | { readonly status: "downloading"; readonly transfer: Transfer | undefined }
  | { readonly status: "paused"; readonly transfer: Transfer | undefined }
  | { readonly status: "downloaded" }
  /** @property canResume  what came stays, and the next try goes on with it */
  | { readonly status: "failed"; readonly error: unknown; readonly canResume: boolean };

/** The way of a model onto this device: its headers are looked at, then it is downloaded, with as many pauses as wanted. */
export class ModelLoad extends Observable {
  readonly #library: Library;
  #request: ModelRequest | undefined;
  #storeId = "";
  #state: LoadState = { status: "idle" };
  #choice: ModelChoice | undefined;
  #abort = new AbortController();
  #rate = new TransferRate();

  constructor(library: Library) {
    super();
    this.#library = library;
  }

  get state(): LoadState {
    return this.#state;
  }

  get request(): ModelRequest | undefined {
    return this.#request;
  }

  /** What the store has it under, or will have. */
  get storeId(): string {
    return this.#storeId;
  }

  /** What can be opened now, as far as its files were looked at. */
  get choice(): ModelChoice | undefined {
    return this.#choice;
  }

  /** Forgets what was looked at, and ends what is under way. */
  reset(): void {
    this.#abort.abort();
    this.#choice = undefined;
    this.#set({ status: "idle" });
  }

  /** Reads the headers of a model's files. */
  async check(request: ModelRequest, compute: ComputeOptions = {}): Promise<void> {
    const signal = this.#begin(request, { status: "checking" });
    const { input, quantization, keep, memoryBudgetBytes } = request;
    try {
      const keeping = keep ? "always" : "never";
      const options = { ...compute, quantization, memoryBudgetBytes, keep: keeping, signal } as const;
      const availability = await this.#library.models.availability(input, options);
      if (signal.aborted) return;
      this.#storeId = availability.store.id;
      this.#choice = choiceOf(request, availability);
      this.#set({ status: "checked", availability });
    } catch (error) {
      if (!signal.aborted) this.#set({ status: "failed", error, canResume: false });
    }
  }

  /** Downloads what is missing of the model that was looked at, or goes on with it, and repacks it where it is to be. */
  async download(): Promise<void> {
    if (this.#request) await this.resume(this.#storeId, this.#request);
  }

  /** Goes on with a model that the store has a part of, under that id. */
  async resume(storeId: string, request: ModelRequest): Promise<void> {
    rememberRequest(storeId, request);
    this.#storeId = storeId;
    const transfer = this.#state.status === "paused" ? this.#state.transfer : undefined;
    const signal = this.#begin(request, { status: "downloading", transfer });
    this.#rate = new TransferRate();
    const { input, quantization } = request;
    try {
      const onProgress = (event: LoadEvent): void => {
        if (!signal.aborted) this.#follow(event);
      };
      const kept = await this.#library.models.download(input, { quantization, signal, onProgress });
      if (!signal.aborted) {
        this.#choice = kept && storedChoice(kept.id, kept.name, request.memoryBudgetBytes);
        this.#set({ status: "downloaded" });
      }
      await this.#library.refresh();
    } catch (error) {
      await this.#library.refresh();
      if (signal.aborted) return;
      const canResume = this.#library.entries?.some(({ id }) => id === storeId) === true;
      if (!canResume) forgetRequest(storeId);
      this.#set({ status: "failed", error, canResume });
    }
  }

  /** What came stays. */
  pause(): void {
    if (this.#state.status !== "downloading") return;
    this.#abort.abort();
    this.#set({ status: "paused", transfer: this.#state.transfer });
  }

  /** Ends what is under way without a user who asks for it: a download can go on, a check is forgotten. */
  leave(): void {
    if (this.#state.status === "checking") this.reset();
    else this.pause();
  }

  #begin(request: ModelRequest, state: LoadState): AbortSignal {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#request = request;
    this.#choice = undefined;
    this.#set(state);
    return this.#abort.signal;
  }

  #follow(event: LoadEvent): void {
    const before = this.#state.status === "downloading" ? this.#state.transfer?.event : undefined;
    if (before?.stage !== event.stage || before.totalBytes !== event.totalBytes) this.#rate = new TransferRate();
    this.#rate.add(event.loadedBytes, performance.now());
    const { bytesPerSecond } = this.#rate;
    this.#set({
      status: "downloading",
      transfer: { event, bytesPerSecond, leftMs: this.#rate.leftMs(event.totalBytes) },
    });
  }

  #set(state: LoadState): void {
    this.#state = state;
    this.changed();
  }
}
