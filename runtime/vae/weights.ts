import type { Kernel2d, Matrix } from "../backend/matrix.ts";
import type { Tensor } from "../gpu/tensor.ts";
import type { WeightLoader } from "../weights/loader/weight-loader.ts";
import type { VaeConfig } from "../weights/config/model-config.ts";

/** GroupNorm's weight and bias, [channels] f32. */
export interface NormWeights {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

export interface ResnetWeights {
  readonly norm1: NormWeights;
  readonly conv1: Kernel2d;
  readonly norm2: NormWeights;
  readonly conv2: Kernel2d;
  /** 1×1, where the channel count changes. */
  readonly shortcut: Kernel2d | undefined;
}

export interface AttentionWeights {
  readonly norm: NormWeights;
  readonly qkv: readonly [Matrix, Matrix, Matrix];
  readonly out: Matrix;
}

export interface MidWeights {
  readonly first: ResnetWeights;
  readonly attention: AttentionWeights | undefined;
  readonly second: ResnetWeights;
}

export interface LevelWeights {
  readonly resnets: readonly ResnetWeights[];
  /** Downsampling in the encoder, upsampling in the decoder; the last level has none. */
  readonly resample: Kernel2d | undefined;
}

interface CoderWeights {
  readonly convIn: Kernel2d;
  /** In the order of execution. */
  readonly levels: readonly LevelWeights[];
  readonly mid: MidWeights;
  readonly normOut: NormWeights;
  readonly convOut: Kernel2d;
  /** 1×1: after the encoder, before the decoder. */
  readonly quant: Kernel2d | undefined;
}

export interface VaeWeights {
  readonly encoder: CoderWeights;
  readonly decoder: CoderWeights;
  /** Means, then reciprocal standard deviations, [2, 4 · latentChannels] f32. */
  readonly normalize: Tensor;
  /** Means, then standard deviations. */
  readonly denormalize: Tensor;
}

/** Loads the autoencoder by its diffusers names. */
export async function loadVaeWeights(loader: WeightLoader, config: VaeConfig): Promise<VaeWeights> {
  const encoder = await loadEncoder(loader, config);
  const decoder = await loadDecoder(loader, config);
  const width = 4 * config.latentChannels;
  const [means, variances] = await loader.hostVectors(["bn.running_mean", "bn.running_var"], width);
  const deviations = variances!.map((variance) => Math.sqrt(variance + config.batchNormEps));
  const statistics = (name: string, spread: Float32Array): Tensor =>
    loader.constant(name, [2, width], Float32Array.from([...means!, ...spread]));
  return {
    encoder,
    decoder,
    normalize: statistics(
      "normalize",
      deviations.map((deviation) => 1 / deviation),
    ),
    denormalize: statistics("denormalize", deviations),
  };
}

async function loadEncoder(loader: WeightLoader, config: VaeConfig): Promise<CoderWeights> {
  const channels = config.encoderChannels;
  const deepest = channels.at(-1)!;
  const moments = 2 * config.latentChannels;
  const convIn = await loader.kernel2d("encoder.conv_in", channels[0]!, config.inChannels, 3);
  const levels: LevelWeights[] = [];
  for (const [i, out] of channels.entries()) {
    const block = `encoder.down_blocks.${i}`;
    const resnets = await loadResnets(loader, block, channels[Math.max(0, i - 1)]!, out, config.layersPerBlock);
    const last = i === channels.length - 1;
    levels.push({
      resnets,
      resample: last ? undefined : await loader.kernel2d(`${block}.downsamplers.0.conv`, out, out, 3),
    });
  }
  return {
    convIn,
    levels,
    mid: await loadMid(loader, "encoder.mid_block", deepest, config.midAttention),
    normOut: await loadNorm(loader, "encoder.conv_norm_out", deepest),
    convOut: await loader.kernel2d("encoder.conv_out", moments, deepest, 3),
    quant: config.quantConv ? await loader.kernel2d("quant_conv", moments, moments, 1) : undefined,
  };
}

async function loadDecoder(loader: WeightLoader, config: VaeConfig): Promise<CoderWeights> {
  const channels = config.decoderChannels.toReversed();
  const { latentChannels } = config;
  const convIn = await loader.kernel2d("decoder.conv_in", channels[0]!, latentChannels, 3);
  const mid = await loadMid(loader, "decoder.mid_block", channels[0]!, config.midAttention);
  const levels: LevelWeights[] = [];
  for (const [i, out] of channels.entries()) {
    const block = `decoder.up_blocks.${i}`;
    const resnets = await loadResnets(loader, block, channels[Math.max(0, i - 1)]!, out, config.layersPerBlock + 1);
    const last = i === channels.length - 1;
    levels.push({
      resnets,
      resample: last ? undefined : await loader.upsamplingKernel2d(`${block}.upsamplers.0.conv`, out),
    });
  }
  return {
    convIn,
    levels,
    mid,
    normOut: await loadNorm(loader, "decoder.conv_norm_out", channels.at(-1)!),
    convOut: await loader.kernel2d("decoder.conv_out", config.outChannels, channels.at(-1)!, 3),
    quant: config.postQuantConv
      ? await loader.kernel2d("post_quant_conv", latentChannels, latentChannels, 1)
      : undefined,
  };
}

async function loadMid(loader: WeightLoader, block: string, channels: number, attention: boolean): Promise<MidWeights> {
  return {
    first: await loadResnet(loader, `${block}.resnets.0`, channels, channels),
    attention: attention ? await loadAttention(loader, `${block}.attentions.0`, channels) : undefined,
    second: await loadResnet(loader, `${block}.resnets.1`, channels, channels),
  };
}

async function loadAttention(loader: WeightLoader, name: string, channels: number): Promise<AttentionWeights> {
  const linear = (part: string): Promise<Matrix> =>
    loader.matrix({
      name: `${name}.${part}.weight`,
      bias: `${name}.${part}.bias`,
      shape: [channels, channels],
      quantize: false,
    });
  return {
    norm: await loadNorm(loader, `${name}.group_norm`, channels),
    qkv: [await linear("to_q"), await linear("to_k"), await linear("to_v")],
    out: await linear("to_out.0"),
  };
}

async function loadResnets(
  loader: WeightLoader,
  block: string,
  from: number,
  to: number,
  count: number,
): Promise<ResnetWeights[]> {
  const resnets: ResnetWeights[] = [];
  for (let i = 0; i < count; i++)
    resnets.push(await loadResnet(loader, `${block}.resnets.${i}`, i === 0 ? from : to, to));
  return resnets;
}

async function loadResnet(loader: WeightLoader, name: string, from: number, to: number): Promise<ResnetWeights> {
  return {
    norm1: await loadNorm(loader, `${name}.norm1`, from),
    conv1: await loader.kernel2d(`${name}.conv1`, to, from, 3),
    norm2: await loadNorm(loader, `${name}.norm2`, to),
    conv2: await loader.kernel2d(`${name}.conv2`, to, to, 3),
    shortcut: from === to ? undefined : await loader.kernel2d(`${name}.conv_shortcut`, to, from, 1),
  };
}

async function loadNorm(loader: WeightLoader, name: string, channels: number): Promise<NormWeights> {
  return {
    weight: await loader.vector(`${name}.weight`, channels),
    bias: await loader.vector(`${name}.bias`, channels),
  };
}
