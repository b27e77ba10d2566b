import type { LoadEvent } from "./events.ts";
import { withEvents } from "./live-events.ts";
import type { Parts } from "./parts.ts";
import { partOf, type Residency } from "./plan/residency.ts";
import type { Stage } from "./plan/run-stages.ts";

/** How a run keeps within a budget of memory. */
export interface MemoryShare {
  readonly residency: Residency;
  /** Whether kept keys and values that the run does not use must go. */
  readonly dropsOtherReferences: boolean;
}

/**
 * Begins a stage of a run: frees the parts that do not stay for it, then loads the one that it works with.
 *
 * @param works   whether the stage has anything to do
 * @param memory  all parts stay unless given
 */
export async function* enterStage(
  parts: Parts,
  stage: Stage,
  works: boolean,
  memory: MemoryShare | undefined,
  signal?: AbortSignal,
): AsyncGenerator<LoadEvent, void> {
  if (!works) return; // it takes no memory either
  if (memory) await parts.keepOnly(memory.residency[stage]);
  const part = partOf(stage);
  if (parts.isLoaded(part)) return;
  yield* withEvents<LoadEvent, void>((emit) =>
    parts.gpu.checked("loading", () =>
      parts.load([part], {
        signal,
        onProgress: (of, loadedBytes, totalBytes) =>
          emit({ type: "load", stage: "gpu", part: of, loadedBytes, totalBytes }),
      }),
    ),
  );
}
