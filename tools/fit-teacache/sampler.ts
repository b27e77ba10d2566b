import { Engine } from "../../runtime/engine/engine.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { accumulateMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix, ScalarType } from "../../runtime/gpu/tensor.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import type { LoadedModel } from "../../runtime/loaded-model/loaded-model.ts";
import { guide } from "../../runtime/pipeline/sample-picture.ts";
import { seededNoise } from "../../runtime/sampling/noise.ts";
import { buildSigmas } from "../../runtime/sampling/schedule.ts";
import { Denoiser } from "../../runtime/transformer/denoiser.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { type Grid, gridTokens } from "../../runtime/transformer/rotary.ts";
import { PIXELS_PER_TOKEN } from "../../runtime/vae/autoencoder.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";

export interface SampleRequest {
  readonly prompt: string;
  readonly seed: bigint;
  /** Pixels of each side. */
  readonly size: number;
  readonly steps: number;
  /** Null means one pass per step. */
  readonly guidance: number | null;
  /** Called after every evaluation. Tensors that it keeps belong to the scope. */
  readonly onEvaluation: (evaluation: Evaluation) => Promise<void>;
}

/** One evaluation of the velocity, on the GPU. */
export interface Evaluation {
  readonly scope: MemoryScope;
  readonly table: ModulationTable;
  readonly step: number;
  /** [tokens, channels] f32 */
  readonly latents: ChunkedMatrix;
  /** The embedded text, which identifies the guidance pass. */
  readonly text: ChunkedMatrix;
  /** [tokens, channels] f32 */
  readonly velocity: ChunkedMatrix;
}

/** A model whose evaluations tools can observe: text to latents, without references, with the default solver. */
export async function openModel(folder: string, dtype: ScalarType): Promise<Engine> {
  const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec() };
  return Engine.create(platform, new FolderSource(folder), { dtype });
}

/** Computes clean latents from prompt and seed, as the engine does. */
export async function sample(model: LoadedModel, request: SampleRequest): Promise<void> {
  const { gpu, transformer, config, rowsPerChunk } = model;
  const { recorder } = gpu;
  await gpu.checked("sampling", async () => {
    using scope = gpu.memory.scope();
    const side = request.size / PIXELS_PER_TOKEN;
    const grid: Grid = { height: side, width: side };
    const sigmas = buildSigmas({ tokens: gridTokens(grid), steps: request.steps });
    const table = await ModulationTable.create(transformer, { scope, sigmas: [...sigmas] });
    const { inChannels } = transformer.config;
    const latents = scope.matrix("latents", "f32", gridTokens(grid), inChannels, rowsPerChunk);
    writeMatrix(recorder, latents, seededNoise("counter", request.seed, grid, inChannels).initial());
    const positive = await embed(model, scope, request.prompt);
    const negative = request.guidance === null ? undefined : await embed(model, scope, "");
    const denoiser = new Denoiser({
      gpu,
      model: transformer,
      scope,
      table,
      grid,
      textLength: config.textLength,
      mode: "exact",
      isolated: config.referenceAttention === "isolated",
      sigmaZeroRow: request.steps,
    });
    const evaluate = async (text: ChunkedMatrix, step: number): Promise<ChunkedMatrix> => {
      const velocity = await denoiser.velocity(latents, text, step);
      await request.onEvaluation({ scope, table, step, latents, text, velocity });
      return velocity;
    };
    for (let step = 0; step < request.steps; step++) {
      const conditional = await evaluate(positive, step);
      const velocity = negative ? await evaluate(negative, step) : conditional;
      if (request.guidance !== null) guide(recorder, velocity, conditional, request.guidance);
      accumulateMatrix(recorder, latents, 1, velocity, sigmas[step + 1]! - sigmas[step]!);
      scope.releaseMatrix(conditional, velocity);
      await recorder.settle();
    }
    denoiser.dispose();
  });
}

async function embed(
  { tokenizer, config, promptEmbeddings, transformer }: LoadedModel,
  scope: MemoryScope,
  prompt: string,
) {
  const { embeddings } = await promptEmbeddings.get(tokenizer.encode(prompt, config.textLength));
  return transformer.embed(scope, embeddings, transformer.weights.textIn);
}
