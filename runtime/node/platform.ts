import { Engine, type Platform } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { dawnGpu } from "./dawn.ts";
import { NodeImageCodec } from "./sharp-image-codec.ts";
import { prepareModel, type PrepareOptions } from "../models/prepare-model.ts";
import { type NodeModel, openNodeTuningStorage, openNodeLocation, openNodeStore } from "./location.ts";
import { EngineHost } from "../remote/engine-host.ts";

/** Options of an engine in Node, as they cross to a child process. */
export interface NodeEngineOptions extends EngineOptions, Pick<PrepareOptions, "keep" | "evict"> {
  /** Default: klein-nano, which is part of the package. */
  readonly model?: NodeModel | undefined;
  /** Folder of the store of models. Default: `kleinbild/models` in the user's cache folder. */
  readonly storeFolder?: string | undefined;
}

/** Serves an engine on Dawn in this process. */
export function nodeEngineHost(): EngineHost<NodeEngineOptions> {
  return new EngineHost(async ({ model, keep, evict, storeFolder, ...options }, signal, onLoad) => {
    const { quantization, quantizationMethod } = options;
    const prepare = { quantization, quantizationMethod, keep, evict };
    const location = await openNodeLocation(model);
    const source = await prepareModel(openNodeStore(storeFolder), location, prepare, { signal, onLoad });
    const tuningCache = openNodeTuningStorage(storeFolder);
    const platform: Platform = { gpu: await dawnGpu(), codec: new NodeImageCodec(), tuningCache };
    return Engine.create(platform, source, options, { signal, onLoad });
  });
}
