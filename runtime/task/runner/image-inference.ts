import type { GenerateResult } from "../../remote/generation.ts";
import type { LoraInput } from "../../request/loras.ts";
import { type DeliveryOptions, deliverPicture } from "./delivery.ts";
import type { EngineSlot } from "./engine-slot.ts";
import { toGenerateRequest } from "./generate-request.ts";
import type { ResolvedImageInferenceTask } from "../schema/image-inference-task.ts";
import type { ModelManifest } from "./model-registry.ts";
import { type ReferenceOptions, resolveReferences } from "../media/reference-input.ts";
import type { ImageItem } from "../schema/response.ts";

/** The weights that a model id uses. */
export interface Weights<Source> {
  /** Options of `createKleinbild` that load them. */
  readonly source: Source;
  /** A warning in every result; for substitutes, that the weights are not the model's own. */
  readonly warning?: string | undefined;
}

/** What all tasks of a runner share. */
export interface ImageInferenceTools<Source extends object> {
  readonly slot: EngineSlot<Source>;
  /** How references are read and pictures delivered. */
  readonly exchange: ReferenceOptions & DeliveryOptions;
  /** A LoRA by the id or address that `lora[index].model` names. @throws TaskError */
  readonly readLora: (model: string, index: number, signal?: AbortSignal) => Promise<LoraInput["data"]>;
}

/** A checked task, and the model and weights that it uses. */
interface Job<Source extends object> {
  readonly task: ResolvedImageInferenceTask;
  readonly manifest: ModelManifest;
  readonly weights: Weights<Source>;
}

interface JobOptions {
  readonly signal: AbortSignal | undefined;
  /** Called with each picture once it is delivered. */
  readonly onItem: (item: ImageItem) => void;
}

/**
 * Runs a task; each picture is delivered while the next is made.
 *
 * @returns the pictures, in the order of their seeds
 * @throws KleinbildError, TaskError, or the signal's reason
 */
export async function runImageInference<Source extends object>(
  { task, manifest, weights }: Job<Source>,
  { slot, exchange, readLora }: ImageInferenceTools<Source>,
  { signal, onItem }: JobOptions,
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
    await slot.use(weights.source, signal, async (engine) => {
      const generation = engine.generate(toGenerateRequest(task, manifest, references, loras), { signal });
      for await (const event of generation) if (event.type === "result") deliveries.push(deliver(event));
    });
  } finally {
    await Promise.allSettled(deliveries); // pictures made before a failure are delivered
  }
  return Promise.all(deliveries);
}
