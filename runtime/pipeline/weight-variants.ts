import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { lorasByWeights, weightsKeys } from "./loras-by-weights.ts";
import type { LoraUse, PipelineRequest } from "./pipeline-request.ts";
import type { PromptEmbeddings } from "./prompts.ts";
import type { EncodedReferences } from "./references.ts";
import type { StageRunner } from "./stage-runner.ts";
import { adaptTransformer, type AdaptedTransformer } from "../transformer/adapters.ts";
import { computeReferenceKeysValues, type ReferenceLatents } from "../transformer/denoiser.ts";
import type { TransformerModel } from "../transformer/model.ts";
import { ModulationTable } from "../transformer/modulation.ts";
import type { ReferenceKeysValues } from "../transformer/reference-cache.ts";

/** One set of weights, and the inputs of its velocities that do not depend on the noise. */
export interface WeightVariant {
  readonly transformer: TransformerModel;
  /** A row for each evaluation of the run, then one for sigma 0. */
  readonly modulation: ModulationTable;
  /** Embedded prompts [tokens, D] f32. */
  readonly positive: ChunkedMatrix;
  readonly negative: ChunkedMatrix | undefined;
  /** In modes that pass the references through the transformer in the steps. */
  readonly references: ReferenceLatents | undefined;
  /** Keys and values of the references, in mode `exact`. */
  readonly cached: ReferenceKeysValues | undefined;
  /** Whether they were already in the cache. */
  readonly cacheHit: boolean;
}

/** The encoded prompts and references of a run. */
interface Conditions {
  readonly prompts: PromptEmbeddings;
  readonly references: EncodedReferences;
}

type VariantModel = Pick<LoadedModel, "gpu" | "transformer" | "config" | "fingerprint" | "referenceCache">;

/** The sets of weights that a run goes through: one, or two when a LoRA acts on some noise levels only. */
export class WeightVariants implements Disposable {
  /** In the order in which they first take part. */
  readonly all: readonly WeightVariant[];
  /** Which parts of the LoRAs do not act, for people. */
  readonly warnings: readonly string[];
  readonly #byEvaluation: readonly WeightVariant[];
  readonly #adapted: readonly AdaptedTransformer[];

  private constructor(byEvaluation: readonly WeightVariant[], adapted: readonly AdaptedTransformer[]) {
    this.all = [...new Set(byEvaluation)];
    this.warnings = [...new Set(adapted.flatMap(({ warnings }) => warnings))];
    this.#byEvaluation = byEvaluation;
    this.#adapted = adapted;
  }

  /** Computes modulation, embedded prompts, and keys and values of the references. They live as long as the run. */
  static async create(
    stages: StageRunner,
    model: VariantModel,
    request: Pick<PipelineRequest, "program" | "loras">,
    conditions: Conditions,
  ): Promise<WeightVariants> {
    const sigmas = [...request.program.map(({ sigma }) => sigma), 0];
    const adapted: AdaptedTransformer[] = [];
    const variants = new Map<string, WeightVariant>();
    try {
      for (const [key, loras] of lorasByWeights(model, request)) {
        const transformer = adapt(model, loras, adapted);
        variants.set(key, await prepareVariant(stages, model, { ...conditions, key, transformer, sigmas }));
      }
    } catch (error) {
      for (const added of adapted) added.dispose();
      throw error;
    }
    const byEvaluation = weightsKeys(model, request).map((key) => variants.get(key)!);
    return new WeightVariants(byEvaluation, adapted);
  }

  /** Whether the keys and values of the references were already in the cache, for all weights. */
  get cacheHit(): boolean {
    return this.all.every(({ cacheHit }) => cacheHit);
  }

  /** The variant of evaluation number `index` of the program. */
  at(index: number): WeightVariant {
    return this.#byEvaluation[index]!;
  }

  /** Frees the LoRAs. */
  [Symbol.dispose](): void {
    for (const added of this.#adapted) added.dispose();
  }
}

/** The transformer with LoRAs. Pushes the buffers to free onto `adapted`. */
function adapt(model: VariantModel, loras: readonly LoraUse[], adapted: AdaptedTransformer[]): TransformerModel {
  const { transformer, config } = model;
  if (loras.length === 0) return transformer;
  const added = adaptTransformer(transformer, loras, config.name);
  adapted.push(added);
  return transformer.withWeights(added.weights);
}

interface VariantOptions extends Conditions {
  /** Of the weights. */
  readonly key: string;
  readonly transformer: TransformerModel;
  /** Of every evaluation, then 0. */
  readonly sigmas: readonly number[];
}

async function prepareVariant(
  stages: StageRunner,
  { gpu, referenceCache }: VariantModel,
  { prompts, references, key, transformer, sigmas }: VariantOptions,
): Promise<WeightVariant> {
  const { scope, signal } = stages;
  const { weights } = transformer;
  const modulation = await ModulationTable.create(transformer, { scope, sigmas });
  const positive = await transformer.embed(scope, prompts.positive, weights.textIn);
  const negative = prompts.negative && (await transformer.embed(scope, prompts.negative, weights.textIn));
  const cacheKey = references.cacheKeys.get(key);
  const keysValues = await stages.time("references", async () => {
    if (cacheKey === undefined) return { cached: undefined, cacheHit: false };
    const cached = referenceCache.get(cacheKey);
    if (cached) return { cached, cacheHit: true };
    const pass = { gpu, model: transformer, table: modulation, sigmaZeroRow: sigmas.length - 1 };
    const computed = await computeReferenceKeysValues(pass, references.latents!, { signal });
    referenceCache.put(cacheKey, computed);
    return { cached: computed, cacheHit: false };
  });
  return { transformer, modulation, positive, negative, references: references.latents, ...keysValues };
}
