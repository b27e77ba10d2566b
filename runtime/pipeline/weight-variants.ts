import type { EncodedReferences, RunReferences } from "./run-references.ts";
import type { MemoryScope } from "../gpu/memory.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { LoraStages, LoraUse, PipelineRequest } from "./pipeline-request.ts";
import { adaptTransformer, type AdaptedTransformer, adapterKey } from "../transformer/adapters.ts";
import { TransformerModel } from "../transformer/model.ts";
import { ModulationTable } from "../transformer/modulation.ts";

/** Text states [tokens, states · hidden] f32 of the two prompts. */
export interface PromptStates {
  readonly positive: ChunkedMatrix;
  readonly negative: ChunkedMatrix | undefined;
}

/** One set of weights, and what a velocity needs under it that does not depend on the noise. */
export interface WeightVariant {
  readonly model: TransformerModel;
  /** A row for each evaluation of the run, then one for sigma 0. */
  readonly table: ModulationTable;
  /** Embedded prompts [tokens, D] f32. */
  readonly positive: ChunkedMatrix;
  readonly negative: ChunkedMatrix | undefined;
  readonly references: EncodedReferences;
}

/** The least sigma of the high-noise stage: where Wan 2.2, whose API names the stages, changes from one model to the other. */
const HIGH_STAGE_SIGMA = 0.875;

/** The sets of weights that a run goes through: one, or two when a LoRA acts on some noise levels only. */
export class WeightVariants {
  readonly #of: readonly WeightVariant[];
  readonly #adapted: readonly AdaptedTransformer[];
  /** In the order in which they first take part. */
  readonly all: readonly WeightVariant[];
  /** What of the LoRAs does not act. */
  readonly warnings: readonly string[];

  private constructor(of: readonly WeightVariant[], adapted: readonly AdaptedTransformer[]) {
    this.#of = of;
    this.#adapted = adapted;
    this.all = [...new Set(of)];
    this.warnings = [...new Set(adapted.flatMap(({ warnings }) => warnings))];
  }

  /** @param scope  holds what the phases need, and lives longer than they */
  static async create(
    parts: LoadedModel,
    request: Pick<PipelineRequest, "program" | "loras">,
    states: PromptStates,
    images: RunReferences,
    scope: MemoryScope,
    signal?: AbortSignal,
  ): Promise<WeightVariants> {
    const sigmas = [...request.program.map(({ sigma }) => sigma), 0];
    const adapted: AdaptedTransformer[] = [];
    const phases = new Map<string, WeightVariant>();
    const of: WeightVariant[] = [];
    try {
      for (const { sigma } of request.program) {
        const loras = lorasAt(request.loras, sigma);
        const key = weightsKey(parts, loras);
        let phase = phases.get(key);
        if (!phase) {
          const model = adapt(parts, loras, adapted);
          phase = await preparePhase(parts, model, states, sigmas, scope, (pass) => images.prepare(key, pass, signal));
          phases.set(key, phase);
        }
        of.push(phase);
      }
      return new WeightVariants(of, adapted);
    } catch (error) {
      for (const added of adapted) added.dispose();
      throw error;
    }
  }

  /** The phase of evaluation number `index` of the plan. */
  at(index: number): WeightVariant {
    return this.#of[index]!;
  }

  /** Frees the LoRAs. */
  [Symbol.dispose](): void {
    for (const added of this.#adapted) added.dispose();
  }
}

/** The LoRAs of each set of weights that a run goes through, by a key that tells it apart from every other. */
export function lorasByWeights(
  parts: Pick<LoadedModel, "fingerprint">,
  { program, loras }: Pick<PipelineRequest, "program" | "loras">,
): ReadonlyMap<string, readonly LoraUse[]> {
  return new Map(
    program.map(({ sigma }) => {
      const acting = lorasAt(loras, sigma);
      return [weightsKey(parts, acting), acting];
    }),
  );
}

const lorasAt = (loras: readonly LoraUse[], sigma: number): readonly LoraUse[] =>
  loras.filter(({ stages }) => actsAt(stages, sigma));

const weightsKey = ({ fingerprint }: Pick<LoadedModel, "fingerprint">, loras: readonly LoraUse[]): string =>
  `${fingerprint} ${adapterKey(loras)}`;

/** The model with LoRAs; what they add is put on `adapted`, to be freed. */
function adapt(parts: LoadedModel, loras: readonly LoraUse[], adapted: AdaptedTransformer[]): TransformerModel {
  const { gpu, transformer, scalar, config } = parts;
  if (loras.length === 0) return transformer;
  const added = adaptTransformer(gpu, transformer.weights, transformer.config, scalar, loras, config.name);
  adapted.push(added);
  const { backend, rowsPerChunk } = transformer;
  return new TransformerModel(gpu, backend, scalar, transformer.config, added.weights, rowsPerChunk);
}

async function preparePhase(
  { gpu }: LoadedModel,
  model: TransformerModel,
  { positive, negative }: PromptStates,
  sigmas: readonly number[],
  scope: MemoryScope,
  encodeReferences: (pass: Parameters<RunReferences["prepare"]>[1]) => Promise<EncodedReferences>,
): Promise<WeightVariant> {
  const { weights, config, backend } = model;
  const table = await ModulationTable.create(gpu, backend, scope, weights.modulation, config, sigmas);
  const pass = { gpu, model, table, sigmaZeroRow: sigmas.length - 1 };
  return {
    model,
    table,
    positive: await model.embed(scope, positive, weights.textIn),
    negative: negative && (await model.embed(scope, negative, weights.textIn)),
    references: await gpu.clock.time("references", () => encodeReferences(pass)),
  };
}

function actsAt(stages: LoraStages, sigma: number): boolean {
  return stages === "both" || (stages === "high") === sigma >= HIGH_STAGE_SIGMA;
}
