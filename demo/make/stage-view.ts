import type { ModelConfig, PixelImage } from "../../runtime/index.ts";
import type { Picture } from "../state/picture.ts";
import { loadStage, type Stage } from "../state/progress.ts";
import type { Job } from "../state/run-queue.ts";
import type { Studio } from "../state/studio.ts";
import type { Size } from "./fit.ts";

/** Pixels of the picture for one of a preview. */
const PREVIEW_SCALE = 8;
const OPENING: Stage = { status: "Opening the model", done: 0, of: 1 };

/** What the stage shows, as it follows from the state of the studio. */
export interface StageView {
  readonly picture: Picture | undefined;
  readonly running: Job | undefined;
  readonly preview: PixelImage | undefined;
  /** Progress of the running job as long as there are pictures to come, or of the model that loads. */
  readonly stage: Stage | undefined;
  /** The last job, where it is over and no picture but its own is looked at. */
  readonly over: Job | undefined;
  /** Pictures of one request to choose from; empty where there are less than two. */
  readonly results: readonly Picture[];
  /** Of the picture, or of the one to come, as far as it is known. */
  readonly size: Size | undefined;
}

export function stageView({
  shown,
  queue,
  session,
}: Pick<Studio, "shown"> & {
  readonly queue: Pick<Studio["queue"], "running" | "latest">;
  readonly session: Pick<Studio["session"], "state"> & { readonly info: { readonly model: ModelConfig } | undefined };
}): StageView {
  const { running, latest } = queue;
  const own = latest && (!shown || latest.pictures.includes(shown)) ? latest : undefined;
  const model = session.info?.model;
  const loading = session.state.status === "loading" ? session.state : undefined;
  return {
    picture: shown,
    running,
    preview: running?.preview,
    stage: running ? progressOf(running, model) : loading && (loading.progress ? loadStage(loading.progress) : OPENING),
    over: own === running ? undefined : own,
    results: own && own.pictures.length > 1 ? own.pictures : [],
    size: shown?.metadata ?? (latest && sizeOf(latest, model)),
  };
}

/** Undefined from the last picture on: what stands below it would be moved for a moment otherwise. */
function progressOf({ stage, pictures, order }: Job, model: ModelConfig | undefined): Stage | undefined {
  const isMade = model !== undefined && pictures.length >= (order.request(model).results ?? 1);
  return isMade ? undefined : stage;
}

/** As the preview tells, or before it the request. */
function sizeOf({ preview, order }: Job, model: ModelConfig | undefined): Size | undefined {
  if (preview) return { width: preview.width * PREVIEW_SCALE, height: preview.height * PREVIEW_SCALE };
  const { width, height } = model ? order.request(model) : {};
  // what is typed may be anything
  if (width !== undefined && height !== undefined && width > 0 && height > 0) return { width, height };
  const [first] = order.references;
  return first ?? (model && { width: model.defaultSize, height: model.defaultSize });
}
