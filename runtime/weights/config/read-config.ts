import { KleinbildError } from "../../errors.ts";
import {
  CONFIG_FILES,
  MODEL_INDEX,
  OWN_CONFIG,
  readOwnConfig,
  readPipelineKind,
  readTextConfig,
  readTransformerConfig,
  readVaeConfig,
} from "./config-files.ts";
import type { ModelConfig, TextEncoderConfig, TransformerConfig, ModelVariant, VaeConfig } from "./model-config.ts";
import type { ModelSource } from "../sources/model-source.ts";

/** Replacements for missing config files, inferred from the weights. */
export interface ConfigFallbacks {
  variant(): ModelVariant;
  transformer(): TransformerConfig;
  vae(): VaeConfig;
  /** @param deepest  the last hidden state that the transformer uses */
  text(deepest: number): TextEncoderConfig;
}

/**
 * Reads and checks the configs of a model. `fallbacks` replace missing files.
 *
 * @throws KleinbildError `missing-file` or `invalid-model`
 */
export async function readConfigs(
  source: ModelSource,
  signal?: AbortSignal,
  fallbacks?: ConfigFallbacks,
): Promise<{ readonly config: ModelConfig; readonly variant: ModelVariant }> {
  const isThere = async (path: string): Promise<boolean> => !fallbacks || source.exists(path, signal);
  const own = await readOwnConfig(source, signal);
  let variant: ModelVariant = (await isThere(MODEL_INDEX))
    ? { ...(await readPipelineKind(source, signal)), from: MODEL_INDEX }
    : fallbacks!.variant();
  if (own.distilled !== undefined) variant = { ...variant, distilled: own.distilled, from: OWN_CONFIG };
  const { distilled, kv } = variant;
  const config: ModelConfig = {
    name: own.name ?? defaultName(source.description),
    license: own.license,
    distilled,
    textLength: own.textLength,
    textLayers: own.textLayers,
    referenceAttention: own.referenceAttention ?? (kv ? "isolated" : "full"),
    defaultSteps: own.defaultSteps ?? (distilled ? 4 : 50),
    defaultSize: own.defaultSize,
    defaultGuidance: own.defaultGuidance === undefined ? (distilled ? null : 4) : own.defaultGuidance,
    teaCacheCoefficients: own.teaCacheCoefficients,
    transformer: (await isThere(CONFIG_FILES.transformer))
      ? await readTransformerConfig(source, signal)
      : fallbacks!.transformer(),
    vae: (await isThere(CONFIG_FILES.vae)) ? await readVaeConfig(source, signal) : fallbacks!.vae(),
    text: (await isThere(CONFIG_FILES.textEncoder))
      ? await readTextConfig(source, signal)
      : fallbacks!.text(Math.max(...own.textLayers)),
  };
  checkConsistency(config);
  return { config, variant };
}

/** The name is written into pictures, so it must not reveal a folder of the user or an access token of an address. */
function defaultName(description: string): string {
  if (/^[a-z][a-z\d+.-]+:/i.test(description)) return description.replace(/[?#].*$/, "");
  return description.split(/[\\/]/).findLast((segment) => segment !== "") ?? description;
}

function checkConsistency({ transformer, vae, text, textLayers }: ModelConfig): void {
  const expect = (holds: boolean, message: string): void => {
    if (!holds) throw new KleinbildError("invalid-model", `The configs do not match: ${message}.`);
  };
  const rope = transformer.ropeAxes.reduce((sum, axis) => sum + axis, 0);
  const deepest = Math.max(...textLayers);
  const stacked = textLayers.length * text.hidden;
  expect(rope === transformer.headDim, `the rotary axes have ${rope} channels, a head has ${transformer.headDim}`);
  expect(
    transformer.inChannels === 4 * vae.latentChannels && transformer.outChannels === transformer.inChannels,
    `the transformer has ${transformer.inChannels} input and ${transformer.outChannels} output channels; the autoencoder's patches have ${4 * vae.latentChannels}`,
  );
  // state 0 is the embedding; the reference normalises the state after the last layer, which no klein model uses
  expect(
    deepest < text.layers,
    `textLayers has the hidden state ${deepest}; with ${text.layers} layers, the last one is ${text.layers - 1}`,
  );
  expect(
    transformer.textWidth === stacked,
    `the transformer expects prompt embeddings of width ${transformer.textWidth}; ${textLayers.length} hidden states of ${text.hidden} give ${stacked}`,
  );
  expect(text.heads % text.kvHeads === 0, `${text.kvHeads} key-value heads do not divide ${text.heads} heads`);
  const channels = [...vae.encoderChannels, ...vae.decoderChannels];
  expect(
    channels.every((count) => count % vae.groups === 0),
    `${vae.groups} groups do not divide the autoencoder's channels ${channels.join(", ")}`,
  );
}
