import type { DenseBackend } from "../../runtime/backend/backend.ts";
import { assertFinite } from "../../runtime/gpu/finite.ts";
import { BYTES_PER_ELEMENT } from "../../runtime/gpu/tensor.ts";
import { Autoencoder } from "../../runtime/vae/autoencoder.ts";
import { loadVaeWeights } from "../../runtime/vae/weights.ts";
import { WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import { Marks } from "./marks.ts";
import { type ModelPart, type PartOptions, targetTokens } from "./model-part.ts";
import { seededValues, seededWeights } from "./seeded-weights.ts";
import { decodeWork, decoderValues } from "./work.ts";

/** The decoder of the autoencoder. */
export async function decoderPart({ gpu, config, scalar, backends }: PartOptions): Promise<ModelPart> {
  const store = seededWeights(config, "vae");
  const loaders: WeightLoader[] = [];
  const load = async (backend: DenseBackend): Promise<Autoencoder> => {
    const { kernelLayout } = backend;
    const loader = new WeightLoader({ gpu, store, part: "vae", scalar, quantization: "none", kernelLayout });
    loaders.push(loader);
    return new Autoencoder(gpu, backend, scalar, config.vae, await loadVaeWeights(loader, config.vae));
  };
  const autoencoders = { ort: await load(backends.ort), wgsl: await load(backends.wgsl) };
  const channels = 4 * config.vae.latentChannels;
  return {
    components: [
      {
        name: "decoding",
        count: 1,
        inStep: false,
        weightBytes: decoderValues(config) * BYTES_PER_ELEMENT[scalar],
        work: ({ decodedSide }) => decodeWork(config, decodedSide, decodedSide),
        unit: ({ decodedSide }) => `${decodedSide} × ${decodedSide} pixels`,
      },
    ],
    run: async (name, { decodedSide: side }) => {
      using scope = gpu.memory.scope();
      const latents = scope.tensor("bench input", "f32", [targetTokens(side), channels]);
      gpu.recorder.write(latents, seededValues(targetTokens(side) * channels));
      const marks = await Marks.start(gpu);
      const map = await autoencoders[name].decode(scope, latents, { width: side, height: side });
      await marks.mark();
      await assertFinite(gpu, "the decoder of the benchmark", map.bands);
      return marks.seconds;
    },
    dispose: () => loaders.forEach((loader) => loader.dispose()),
  };
}
