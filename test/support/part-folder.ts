import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { openTensorFile } from "../../runtime/weights/formats/open-tensor-file.ts";
import { TensorView } from "../../runtime/weights/names/tensor-view.ts";
import { folderWeights } from "../../runtime/weights/names/weight-files.ts";
import { readConfigs } from "../../runtime/weights/config/read-config.ts";
import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";
import { TensorStore } from "../../runtime/weights/tensor-store.ts";

/** The tensors of a folder under the names that they have there. */
export async function openPartFolder(source: ModelSource, folder: string): Promise<TensorStore> {
  const { weights: files } = (await folderWeights(source, folder, () => true))!;
  const opened = await Promise.all(files.map((path) => openTensorFile(source, path)));
  const views = opened.flatMap(({ tensors }) =>
    [...tensors].map(([name, tensor]) => [name, TensorView.of(tensor)] as const),
  );
  const found = { files, format: "safetensors", naming: "as stored", unused: [], extra: [] } as const;
  return new TensorStore(folder, new Map(views), found);
}

/** A model's configs, all of which are there. */
export async function readModelConfig(source: ModelSource, signal?: AbortSignal): Promise<ModelConfig> {
  return (await readConfigs(source, signal)).config;
}
