import { adaptTransformer } from "../../runtime/transformer/adapters.ts";
import { TransformerModel } from "../../runtime/transformer/model.ts";
import { readLora } from "../../runtime/weights/lora/lora-file.ts";
import type { GoldenCase, GoldenContext } from "./context.ts";
import type { Comparison } from "./judge.ts";
import { compareTransformer } from "./transformer-kinds.ts";

/** A transformer case with a LoRA. */
export async function loraKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const { gpu, scalar, transformer, rowsPerChunk } = await context.model(golden);
  const { backend, config, weights } = transformer;
  const path = golden["lora"] as string;
  const file = readLora(await context.files.read(`cases/${golden.name}/${path}`), path);
  const adapters = [{ file, weight: golden["weight"] as number }];
  const adapted = adaptTransformer(gpu, weights, config, scalar, adapters, golden.model);
  try {
    const model = new TransformerModel(gpu, backend, scalar, config, adapted.weights, rowsPerChunk);
    return await compareTransformer({ gpu, rowsPerChunk, transformer: model }, await context.tensors(golden), golden);
  } finally {
    adapted.dispose();
  }
}
