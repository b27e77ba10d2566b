import type { LoadEvent } from "../events.ts";
import { withEvents } from "../async/event-stream.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { PART_OF_STAGE, type Residency, type Stage } from "./stages.ts";

/** How a run keeps within a budget of memory. */
export interface ResidencyChoice {
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
  parts: LoadedModel,
  stage: Stage,
  works: boolean,
  memory: ResidencyChoice | undefined,
  signal?: AbortSignal,
): AsyncGenerator<LoadEvent, void> {
  if (!works) return; // it takes no memory either
  if (memory) await parts.keepOnly(memory.residency[stage]);
  const part = PART_OF_STAGE[stage];
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
