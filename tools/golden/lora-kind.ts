import { adaptTransformer } from "../../runtime/transformer/adapters.ts";
import { readLora } from "../../runtime/weights/lora/lora-file.ts";
import type { GoldenCase, GoldenContext } from "./context.ts";
import type { Comparison } from "./judge.ts";
import { compareTransformer } from "./transformer-kinds.ts";

/** A transformer case with a LoRA. */
export async function loraKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const { gpu, transformer, rowsPerChunk } = await context.model(golden);
  const path = golden["lora"] as string;
  const file = readLora(await context.files.read(`cases/${golden.name}/${path}`), path);
  const adapters = [{ file, weight: golden["weight"] as number }];
  const adapted = adaptTransformer(transformer, adapters, golden.model);
  try {
    const model = transformer.withWeights(adapted.weights);
    return await compareTransformer({ gpu, rowsPerChunk, transformer: model }, await context.tensors(golden), golden);
  } finally {
    adapted.dispose();
  }
}
