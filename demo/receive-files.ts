import type { ReactiveController, ReactiveControllerHost } from "lit";
import { isMeantFor } from "./meant-for.ts";

export interface FileReceivers {
  /** Whether a file is meant; a drop without one goes on to what is around the element. All are, without it. */
  readonly takes?: (file: File) => boolean;
  /** @param transfer  what was dropped; gone when this returns */
  readonly onDrop: (files: readonly File[], transfer: DataTransfer) => void;
  /** Of the page, unless something outside of the element has the focus. */
  readonly onPaste?: (files: readonly File[]) => void;
}

/** Lets an element take files that are dropped on it; it has the attribute `dragging` while some are above it. */
export function receiveFiles(host: ReactiveControllerHost & HTMLElement, receivers: FileReceivers): void {
  host.addController(new FileReceiver(host, receivers));
}

class FileReceiver implements ReactiveController {
  readonly #host: HTMLElement;
  readonly #receivers: FileReceivers;

  constructor(host: HTMLElement, receivers: FileReceivers) {
    this.#host = host;
    this.#receivers = receivers;
  }

  hostConnected(): void {
    this.#host.addEventListener("dragover", this.#over);
    this.#host.addEventListener("dragleave", this.#leave);
    this.#host.addEventListener("drop", this.#drop);
    if (this.#receivers.onPaste) document.addEventListener("paste", this.#paste);
  }

  hostDisconnected(): void {
    this.#host.removeEventListener("dragover", this.#over);
    this.#host.removeEventListener("dragleave", this.#leave);
    this.#host.removeEventListener("drop", this.#drop);
    document.removeEventListener("paste", this.#paste);
  }

  readonly #over = (event: DragEvent): void => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.#host.toggleAttribute("dragging", true);
  };

  readonly #leave = (event: DragEvent): void => {
    if (!this.#host.contains(event.relatedTarget as Node | null)) this.#host.removeAttribute("dragging");
  };

  readonly #drop = (event: DragEvent): void => {
    this.#host.removeAttribute("dragging");
    const { dataTransfer } = event;
    const { takes = () => true, onDrop } = this.#receivers;
    // the innermost element that takes files has it
    if (!dataTransfer || event.defaultPrevented || ![...dataTransfer.files].some(takes)) return;
    event.preventDefault();
    onDrop([...dataTransfer.files], dataTransfer);
  };

  readonly #paste = (event: ClipboardEvent): void => {
    if (event.defaultPrevented || !isMeantFor(this.#host, event)) return;
    const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
    if (files.length === 0) return;
    event.preventDefault();
    this.#receivers.onPaste?.(files);
  };
}
