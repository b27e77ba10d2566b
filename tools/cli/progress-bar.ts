import cliProgress from "cli-progress";
import type { GenerateEvent, LoadEvent } from "../../runtime/node.ts";

const LOAD_STAGES = { download: "download, MB", repack: "repack, MB  ", gpu: "loading, MB " };

/** Shows on standard error how far loading and the steps of a picture are. */
export class ProgressBar {
  readonly #bar = new cliProgress.SingleBar(
    { format: "{stage} {bar} {value}/{total}", stream: process.stderr, clearOnComplete: true, hideCursor: true },
    cliProgress.Presets.shades_classic,
  );
  /** Stage and part of the last load event. */
  #loading = "";

  showLoading({ stage, part, loadedBytes, totalBytes }: LoadEvent): void {
    const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
    const loading = stage === "gpu" ? stage : `${stage} ${part}`;
    if (loading !== this.#loading || !this.#bar.isActive)
      this.#bar.start(megabytes(totalBytes), 0, { stage: LOAD_STAGES[stage] });
    this.#loading = loading;
    this.#bar.update(megabytes(loadedBytes));
  }

  show(event: GenerateEvent): void {
    switch (event.type) {
      case "load":
        return this.showLoading(event);
      case "step":
        if (event.step === 1) this.#bar.start(event.steps, 0, { stage: "steps       " });
        return this.#bar.update(event.step);
      case "encode":
      case "decode":
      case "result":
        return;
      default:
        return event satisfies never;
    }
  }

  stop(): void {
    this.#bar.stop();
  }
}
