import { fileURLToPath } from "node:url";
import { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine-options.ts";
import { dawnGpu } from "./gpu/dawn.ts";
import { NodeImageCodec } from "./image/codec-node.ts";
import { EngineHost } from "./rpc.ts";
import { FolderSource } from "./weights/folder-source.ts";
import { HttpSource } from "./weights/http-source.ts";
import type { ModelSource } from "./weights/source.ts";

/** What an engine in Node is made of; crosses to a child process. */
export interface NodeEngineOptions extends EngineOptions {
  /** A folder in diffusers layout, or the http(s) address of one. Default: klein-nano, which the package carries. */
  readonly model?: string | undefined;
}

/** Serves an engine on Dawn in this process. */
export function nodeEngineHost(): EngineHost<NodeEngineOptions> {
  return new EngineHost(async ({ model, ...options }, signal, onLoad) => {
    const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec() };
    return Engine.create(platform, openModel(model), options, { signal, onLoad });
  });
}

function openModel(model: string | undefined): ModelSource {
  if (model === undefined) return new FolderSource(fileURLToPath(new URL("../models/klein-nano", import.meta.url)));
  return /^https?:/.test(model) ? new HttpSource(model) : new FolderSource(model);
}
