import type { KleinbildNodeOptions, ModelManifest } from "../../runtime/node.ts";
import { bundled } from "./model-argument.ts";

interface StandIn {
  readonly source: KleinbildNodeOptions;
  readonly warning: string;
}

/**
 * The models that answer for ids without weights of their own: the chosen model, or the bundled miniatures.
 *
 * @param model  a folder in diffusers layout, or its http address
 */
export function standIns(
  model: string | undefined,
  options: Omit<KleinbildNodeOptions, "model">,
): (manifest: ModelManifest) => StandIn {
  // one object for each folder: the runner keeps the engine that it made from the object
  const sources = new Map<string, KleinbildNodeOptions>();
  return ({ id, name, distilled }) => {
    const miniature = distilled ? "klein-nano" : "klein-nano-base";
    const folder = model ?? bundled(miniature);
    const source = sources.get(folder) ?? { ...options, model: folder };
    sources.set(folder, source);
    return { source, warning: `${id} (${name}) has no weights here; ${model ?? miniature} answered in its place.` };
  };
}
