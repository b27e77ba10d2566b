import type { ScalarType } from "../gpu/tensor.ts";
import type { VaeConfig } from "../weights/config/model-config.ts";
import { rowsPerBand } from "./feature-map.ts";

/**
 * Rows of a band of each map on the way of a picture through one half of the autoencoder, by the map's width.
 *
 * In the decoder, a map has the channels of its level or of the level that was upsampled into it. In the encoder, a strided
 * convolution reads four times as many positions as the next level has.
 *
 * @param imageWidth  pixels
 * @throws KleinbildError `unsupported`, from the function returned, when not even two rows fit into a binding
 */
export function bandRows(
  config: VaeConfig,
  half: "encode" | "decode",
  imageWidth: number,
  scalar: ScalarType,
  maxBindingBytes: number,
): (mapWidth: number) => number {
  const most = half === "encode" ? encoderChannels : decoderChannels;
  const heights = new Map<number, number>();
  return (mapWidth) => {
    const channels = most(config, Math.log2(imageWidth / mapWidth));
    const rows = heights.get(mapWidth) ?? rowsPerBand(maxBindingBytes, scalar, mapWidth, channels);
    heights.set(mapWidth, rows);
    return rows;
  };
}

/**
 * Whether pictures of a width can be encoded or decoded in bands at all.
 * @throws KleinbildError `unsupported` when not even two rows of features fit into a binding
 */
export function assertBandWidth(...picture: Parameters<typeof bandRows>): void {
  const [config, half, imageWidth] = picture;
  const rows = bandRows(...picture);
  const { length } = half === "encode" ? config.encoderChannels : config.decoderChannels;
  for (let level = 0; level < length; level++) rows(imageWidth >> level);
}

/** Most channels of any map that was halved `level` times. */
function decoderChannels({ decoderChannels: channels, latentChannels }: VaeConfig, level: number): number {
  return Math.max(channels[level]!, channels[Math.min(level + 1, channels.length - 1)]!, latentChannels);
}

function encoderChannels({ encoderChannels: channels, latentChannels }: VaeConfig, level: number): number {
  return Math.max(channels[level]!, level > 0 ? 4 * channels[level - 1]! : 0, 2 * latentChannels);
}
