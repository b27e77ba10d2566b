import type { BackendName, DenseBackend } from "../runtime/backend/backend.ts";
import type { Matrix } from "../runtime/backend/matrix.ts";
import type { Gpu } from "../runtime/gpu/device.ts";
import { assertFinite } from "../runtime/gpu/finite.ts";
import { BYTES_PER_ELEMENT, type ScalarType, tensorBytes } from "../runtime/gpu/tensor.ts";
import { rowsPerChunk } from "../runtime/plan/rows-per-chunk.ts";
import { EmbeddingTable } from "../runtime/text/embedding.ts";
import { TextEncoder } from "../runtime/text/encoder.ts";
import { loadTextEncoderWeights } from "../runtime/text/weights.ts";
import { Denoiser } from "../runtime/transformer/denoiser.ts";
import { matricesOf } from "../runtime/transformer/matrices.ts";
import { ModulationTable } from "../runtime/transformer/modulation.ts";
import { Autoencoder, PIXELS_PER_TOKEN } from "../runtime/vae/autoencoder.ts";
import { loadVaeWeights } from "../runtime/vae/weights.ts";
import { WeightLoader } from "../runtime/weights/loader.ts";
import type { ModelConfig } from "../runtime/weights/model-config.ts";
import { CutTransformer } from "./cut-transformer.ts";
import { Marks } from "./marks.ts";
import { seededValues, seededWeights } from "./seeded-weights.ts";
import { blockWork, decodeWork, decoderValues, modulationWork, textLayerWork } from "./work.ts";

/** What is asked for: tokens of text, pixels of a picture's side, and of a side of what is decoded. */
export interface Size {
  readonly text: number;
  readonly side: number;
  readonly decodedSide: number;
}

/** Something that a model has once or several times. */
export interface Component {
  readonly name: string;
  readonly count: number;
  readonly inStep: boolean;
  /** Bytes that the weights of one take on the GPU. */
  readonly weightBytes: number;
  /** Operations of one. */
  readonly work: (size: Size) => number;
  /** What it is timed with, in words. */
  readonly unit: (size: Size) => string;
}

/** Seeded weights of a part of a model, ready to run on both backends. */
export interface ModelPart {
  readonly components: readonly Component[];
  /** Seconds of one of each of the components. */
  run(backend: BackendName, size: Size): Promise<readonly number[]>;
  dispose(): void;
}

export interface PartOptions {
  readonly gpu: Gpu;
  readonly config: ModelConfig;
  readonly scalar: ScalarType;
  readonly backends: Readonly<Record<BackendName, DenseBackend>>;
}

/** Noise levels of four steps, and sigma 0 for references. */
const SIGMAS = [1, 0.97, 0.9, 0.75, 0];

/** Modulation, one double and one single block, and the final layer. */
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
      const table = await ModulationTable.create(gpu, model.backend, scope, weights.modulation, transformer, SIGMAS);
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
      const velocity = await denoiser.velocity(latents, words, 0, undefined, marks.mark);
      await marks.mark();
      await assertFinite(gpu, "a step of the benchmark", velocity.chunks);
      return marks.seconds;
    },
    dispose: () => cut.dispose(),
  };
}

/** One layer of the text encoder, with the look-up of its tokens. */
export async function textPart({ gpu, config, scalar, backends }: PartOptions): Promise<ModelPart> {
  const store = seededWeights({ ...config, textLayers: [1] }, "textEncoder");
  const loader = new WeightLoader({ gpu, store, part: "textEncoder", scalar, quantization: "q4" });
  const layers = await loadTextEncoderWeights(loader, config.text, 1);
  const { qkv, attentionOut, gate, up, down } = layers[0]!;
  return {
    components: [
      {
        name: "text encoder layer",
        count: Math.max(...config.textLayers),
        inStep: false,
        weightBytes: matrixBytes([...qkv, attentionOut, gate, up, down]),
        work: ({ text }) => textLayerWork(config.text, text),
        unit: ({ text }) => `${text} tokens`,
      },
    ],
    run: async (name, { text }) => {
      using scope = gpu.memory.scope();
      const encoder = new TextEncoder({
        gpu,
        backend: backends[name],
        scalar,
        config: config.text,
        layers,
        stacked: [1],
        embedding: new EmbeddingTable(store, config.text.vocab, config.text.hidden),
        rowsPerChunk: rowsPerChunk(config, scalar, gpu.memory.maxBindingBytes),
      });
      const marks = await Marks.start(gpu);
      const ids = Int32Array.from({ length: text }, (_, i) => i);
      const states = await encoder.encode(scope, { ids, mask: new Int32Array(text).fill(1) });
      await marks.mark();
      await assertFinite(gpu, "the text encoder of the benchmark", states.chunks);
      return marks.seconds;
    },
    dispose: () => loader.dispose(),
  };
}

/** Decoding of a picture. */
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

const targetTokens = (side: number): number => (side / PIXELS_PER_TOKEN) ** 2;

function matrixBytes(matrices: readonly Matrix[]): number {
  const tensors = matrices.flatMap(({ pieces }) => pieces.flatMap(({ values, scales }) => [values, scales]));
  return tensors.reduce((sum, tensor) => sum + (tensor ? tensorBytes(tensor.dtype, tensor.shape) : 0), 0);
}
