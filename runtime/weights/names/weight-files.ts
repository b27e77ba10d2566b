import * as v from "valibot";
import { KleinbildError } from "../../errors.ts";
import { readJson } from "../sources/read-json.ts";
import type { ModelSource } from "../sources/model-source.ts";

const SINGLE_FILES = ["diffusion_pytorch_model.safetensors", "model.safetensors"] as const;
/** Shards must be beside their index, so names with slashes are refused. */
const ShardName = v.pipe(v.string(), v.regex(/^[\w.-]+\.safetensors$/));
const ShardIndex = v.object({ weight_map: v.record(v.string(), ShardName) });

/** Files of one part: the weights, sorted by name, and their index if they are sharded. */
export interface WeightFiles {
  readonly weights: readonly string[];
  readonly index?: string;
}

/**
 * Finds files with the names of diffusers and transformers in a folder.
 *
 * @param isRead  whether a tensor is needed; shards without such tensors are left out
 * @returns undefined if there are no such files
 * @throws KleinbildError `invalid-model` when an index is damaged or names a file in another folder
 */
export async function folderWeights(
  source: ModelSource,
  folder: string,
  isRead: (name: string) => boolean,
  signal?: AbortSignal,
): Promise<WeightFiles | undefined> {
  for (const name of SINGLE_FILES) {
    const single = `${folder}/${name}`;
    if (await source.exists(single, signal)) return { weights: [single] };
    const index = `${single}.index.json`;
    if (!(await source.exists(index, signal))) continue;
    const parsed = v.safeParse(ShardIndex, await readJson(source, index, signal));
    if (!parsed.success)
      throw new KleinbildError(
        "invalid-model",
        `${index} must hold a weight_map from tensors to .safetensors files beside it.`,
        { path: index },
      );
    const wanted = Object.entries(parsed.output.weight_map).filter(([tensor]) => isRead(tensor));
    const shards = new Set(wanted.map(([, shard]) => shard));
    return { weights: [...shards].toSorted().map((shard) => `${folder}/${shard}`), index };
  }
  return undefined;
}

/** The names that `folderWeights` looks for, for messages. */
export const WEIGHT_FILE_NAMES = SINGLE_FILES.join(", ");

const SHARD = /-\d{5}-of-\d{5}(?=\.(?:safetensors|gguf)$)/;

/** Groups the weight files among `paths`: shards of one set together, other files alone. */
export function weightGroups(paths: readonly string[]): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    if (!/\.(?:safetensors|gguf)$/i.test(path)) continue;
    const stem = path.replace(SHARD, "");
    groups.set(stem, [...(groups.get(stem) ?? []), path]);
  }
  return [...groups.values()];
}
