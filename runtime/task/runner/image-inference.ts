import type { GenerateResult } from "../../remote/generation.ts";
import type { LoraInput } from "../../request/loras.ts";
import { type DeliveryOptions, deliverPicture } from "./delivery.ts";
import type { EngineSlot } from "./engine-slot.ts";
import { toGenerateRequest } from "./generate-request.ts";
import type { ResolvedImageInferenceTask } from "../schema/image-inference-task.ts";
import type { ModelManifest } from "./model-registry.ts";
import { type ReferenceOptions, resolveReferences } from "../media/reference-input.ts";
import type { ImageItem } from "../schema/response.ts";

/** Weights that answer for an id. */
export interface Weights<Source> {
  readonly source: Source;
  /** What to say in every response, where they are not the id's own. */
  readonly warning?: string | undefined;
}

/** What a task works with. */
export interface ImageInferenceTools<Source extends object> {
  readonly pool: EngineSlot<Source>;
  /** How references come and pictures go. */
  readonly exchange: ReferenceOptions & DeliveryOptions;
  /** A LoRA by the id or address that `lora[index].model` names. @throws TaskError */
  readonly readLora: (model: string, index: number, signal?: AbortSignal) => Promise<LoraInput["data"]>;
}

/**
 * Runs a task; each picture is delivered while the next is made.
 *
 * @param onItem  is given each picture as soon as it is delivered
 * @returns the pictures, in the order of their seeds
 * @throws KleinbildError, TaskError, or the signal's reason
 */
export async function runImageInference<Source extends object>(
  task: ResolvedImageInferenceTask,
  manifest: ModelManifest,
  weights: Weights<Source>,
  { pool, exchange, readLora }: ImageInferenceTools<Source>,
  signal: AbortSignal | undefined,
  onItem: (item: ImageItem) => void,
): Promise<readonly ImageItem[]> {
  const options = { ...exchange, signal };
  const references = await resolveReferences(task.referenceImages, options);
  const loras = await Promise.all(
    task.lora.map(async ({ model, weight, transformer }, i): Promise<LoraInput> => {
      const data = await readLora(model, i, signal);
      return { data, name: model, weight, stages: transformer };
    }),
  );
  const warnings = [...task.warnings, ...(weights.warning === undefined ? [] : [weights.warning])];
  const deliver = async ({ image, report }: GenerateResult): Promise<ImageItem> => {
    const { model, referenceMode, referenceCache, passes, timings } = report;
    const picture = {
      image,
      seed: BigInt(report.seed),
      warnings: [...warnings, ...report.warnings],
      run: {
        model,
        ...(referenceMode && { referenceMode }),
        referenceCacheHit: referenceCache.hit,
        passes,
        timings,
      },
    };
    const item = await deliverPicture(picture, task, options);
    onItem(item);
    return item;
  };
  const deliveries: Promise<ImageItem>[] = [];
  try {
    await pool.use(weights.source, signal, async (engine) => {
      const generation = engine.generate(toGenerateRequest(task, manifest, references, loras), { signal });
      for await (const event of generation) if (event.type === "result") deliveries.push(deliver(event));
    });
  } finally {
    await Promise.allSettled(deliveries); // what was made before a failure is delivered all the same
  }
  return Promise.all(deliveries);
}
