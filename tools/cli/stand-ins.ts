import { fileURLToPath } from "node:url";
import type { KleinbildNodeOptions, ModelManifest } from "../../runtime/node.ts";

interface StandIn {
  readonly source: KleinbildNodeOptions;
  readonly warning: string;
}

/**
 * The models that answer for ids without weights of their own: the miniatures that come with the project, or the one that
 * was asked for.
 *
 * @param model  a folder in diffusers layout, or its http address
 */
export function standIns(
  model: string | undefined,
  options: Omit<KleinbildNodeOptions, "model">,
): (manifest: ModelManifest) => StandIn {
  // one object for each: the runner keeps the engine that was made from it
  const sources = new Map<string, KleinbildNodeOptions>();
  return ({ id, name, distilled }) => {
    const bundled = distilled ? "klein-nano" : "klein-nano-base";
    const folder = model ?? fileURLToPath(new URL(`../models/${bundled}`, import.meta.url));
    const source = sources.get(folder) ?? { ...options, model: folder };
    sources.set(folder, source);
    return { source, warning: `${id} (${name}) has no weights here; ${model ?? bundled} answered in its place.` };
  };
}
