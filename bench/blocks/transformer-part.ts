import { assertFinite } from "../../runtime/gpu/finite.ts";
import { Denoiser } from "../../runtime/transformer/denoiser.ts";
import { matricesOf } from "../../runtime/transformer/matrices.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { PIXELS_PER_TOKEN } from "../../runtime/vae/autoencoder.ts";
import { CutTransformer } from "./cut-transformer.ts";
import { Marks } from "./marks.ts";
import { matrixBytes, type ModelPart, type PartOptions, type Size, targetTokens } from "./model-part.ts";
import { blockWork, modulationWork } from "./work.ts";

/** Noise levels of four steps, and sigma 0 for references. */
const SIGMAS = [1, 0.97, 0.9, 0.75, 0];

/** Modulation, one double block (including the embedding of latents), one single block, and the final layer. */
export async function transformerPart({ gpu, config, scalar, backends }: PartOptions): Promise<ModelPart> {
  const cut = await CutTransformer.load(gpu, config, scalar);
  const { transformer } = config;
  const bytes = (prefix: RegExp): number =>
    matrixBytes(matricesOf(cut.weights).filter(({ name }) => prefix.test(name)));
  const tokens = ({ text, side }: Size): number => text + targetTokens(side);
  const block = { inStep: true, work: (size: Size) => blockWork(transformer, tokens(size), tokens(size)) };
  const unit = (size: Size): string => `${size.text} + ${targetTokens(size.side)} tokens`;
  return {
    components: [
      {
        name: "modulation of four steps",
        count: 1,
        inStep: false,
        weightBytes: bytes(/time_|modulation|norm_out/),
        work: () => modulationWork(transformer, SIGMAS.length),
        unit: () => `${SIGMAS.length} noise levels`,
      },
      { ...block, name: "double block", count: transformer.doubleBlocks, weightBytes: bytes(/^transformer_b/), unit },
      { ...block, name: "single block", count: transformer.singleBlocks, weightBytes: bytes(/^single_t.*_b/), unit },
      {
        name: "final layer",
        count: 1,
        inStep: true,
        weightBytes: bytes(/proj_out/),
        work: ({ side }) => 2 * targetTokens(side) * transformer.hidden * transformer.outChannels,
        unit,
      },
    ],
    run: async (name, { text, side }) => {
      using scope = gpu.memory.scope();
      const model = cut.model(backends[name], 1);
      const { weights } = model;
      const grid = { width: side / PIXELS_PER_TOKEN, height: side / PIXELS_PER_TOKEN };
      const latents = cut.input(scope, targetTokens(side), transformer.inChannels);
      const words = await model.embed(scope, cut.input(scope, text, transformer.textWidth), weights.textIn);
      const marks = await Marks.start(gpu);
      const table = await ModulationTable.create(model, { scope, sigmas: SIGMAS });
      await marks.mark();
      const denoiser = new Denoiser({
        gpu,
        model,
        scope,
        table,
        grid,
        textLength: text,
        mode: "exact",
        isolated: false,
        sigmaZeroRow: SIGMAS.length - 1,
      });
      const velocity = await denoiser.velocity(latents, words, 0, { trace: marks.mark });
      await marks.mark();
      await assertFinite(gpu, "a step of the benchmark", velocity.chunks);
      return marks.seconds;
    },
    dispose: () => cut.dispose(),
  };
}
