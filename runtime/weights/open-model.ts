import { KleinbildError } from "../errors.ts";
import { CONFIG_FILES, MODEL_INDEX, OWN_CONFIG, readOwnConfig } from "./config/config-files.ts";
import type { WeightPart } from "./inventory.ts";
import type { ModelConfig, ModelVariant } from "./config/model-config.ts";
import { textFromTensors, transformerFromTensors, vaeFromTensors, variantFromNames } from "./config/inferred-config.ts";
import type { TokenizerFiles } from "./names/gguf-tokenizer.ts";
import { anchorNames, layoutOf, type StoredPart } from "./names/naming.ts";
import { type PartFiles, PartFinder, type PartPaths } from "./names/part-files.ts";
import { listed, viewPart } from "./names/part-views.ts";
import { findTokenizer } from "./names/tokenizer-files.ts";
import { readConfigs } from "./config/read-config.ts";
import type { ModelSource } from "./sources/model-source.ts";
import { type PartRecognition, TensorStore } from "./tensor-store.ts";

export interface OpenModelOptions {
  readonly signal?: AbortSignal | undefined;
  /** Files of parts that need not be searched for. */
  readonly files?: PartPaths | undefined;
}

/** What was recognised in the files of a model. */
export interface ModelRecognition {
  /** Files, format and naming of each part. */
  readonly parts: Readonly<Record<WeightPart, PartRecognition>>;
  /** How the weights were trained. */
  readonly variant: ModelVariant;
  /** Path of the file that has the tokenizer. */
  readonly tokenizer: string;
}

/** A model whose headers and configs have been read, but not its weights. */
export interface OpenModel {
  readonly config: ModelConfig;
  readonly stores: Readonly<Record<WeightPart, TensorStore>>;
  readTokenizer(): Promise<TokenizerFiles>;
  readonly recognition: ModelRecognition;
  /** Sorted paths of all files that the model needs. */
  readonly files: readonly string[];
}

/** The files of a part and the layout of its tensors. */
type Part = PartFiles & StoredPart;

/**
 * Finds the parts of a model in its files, in every supported format and layout. Configs come from files, or from the shapes
 * of tensors if a file is missing.
 *
 * @throws KleinbildError `missing-file` when a part or the tokenizer is missing, `invalid-model` when files are damaged or do
 *   not match each other, with the names of tensors that are missing or have another shape
 */
export async function openModel(source: ModelSource, options: OpenModelOptions = {}): Promise<OpenModel> {
  const { signal } = options;
  const { textLayers } = await readOwnConfig(source, signal);
  const finder = new PartFinder(source, Math.max(...textLayers), signal);
  const find = async (part: WeightPart): Promise<Part> =>
    withLayout(part, await finder.find(part, options.files?.[part]));
  const parts = {
    textEncoder: await find("textEncoder"),
    transformer: await find("transformer"),
    vae: await find("vae"),
  };
  const { textEncoder, transformer, vae } = parts;
  const { config, variant } = await readConfigs(source, signal, {
    variant: () => variantFromNames(namesOf(transformer)),
    transformer: () => transformerFromTensors(transformer),
    vae: () => vaeFromTensors(vae),
    text: (deepest) => textFromTensors(textEncoder, metadataOf(textEncoder), deepest),
  });
  const stores = {
    textEncoder: storeOf(config, "textEncoder", textEncoder),
    transformer: storeOf(config, "transformer", transformer),
    vae: storeOf(config, "vae", vae),
  };
  const tokenizer = await findTokenizer(source, textEncoder.files, signal);
  const configs = [OWN_CONFIG, MODEL_INDEX, ...Object.values(CONFIG_FILES)];
  const exists = await Promise.all(configs.map((path) => source.exists(path, signal)));
  const weights = Object.values(parts).flatMap(({ files, index }) => [
    ...files.map(({ path }) => path),
    ...(index === undefined ? [] : [index]),
  ]);
  return {
    config,
    stores,
    readTokenizer: () => tokenizer.read(),
    recognition: {
      parts: {
        textEncoder: stores.textEncoder.recognition,
        transformer: stores.transformer.recognition,
        vae: stores.vae.recognition,
      },
      variant,
      tokenizer: tokenizer.files[0]!,
    },
    files: [...new Set([...configs.filter((_, i) => exists[i]), ...weights, ...tokenizer.files])].toSorted(),
  };
}

function withLayout(part: WeightPart, found: PartFiles): Part {
  const layout = layoutOf(part, found.tensors);
  const where = listed(found.files.map(({ path }) => path));
  if (layout) return { ...found, layout, where };
  const names = found.files.flatMap(({ tensors }) => [...tensors.keys()]);
  throw new KleinbildError(
    "invalid-model",
    `${where} is not a known ${part}: it has the tensors ${listed(names)}; ${anchorNames(part)} was expected.`,
    { part },
  );
}

function storeOf(config: ModelConfig, part: WeightPart, found: Part): TensorStore {
  const { views, unread, extra } = viewPart(config, part, found);
  const { files, layout, where } = found;
  return new TensorStore(where, views, {
    files: files.map(({ path }) => path),
    format: files[0]!.format,
    naming: layout,
    unused: unread,
    extra,
  });
}

function metadataOf({ files }: PartFiles): ReadonlyMap<string, unknown> {
  return new Map(files.flatMap(({ metadata }) => [...metadata]));
}

function namesOf(part: PartFiles): string[] {
  const name = metadataOf(part).get("general.name");
  return [...part.files.map(({ path }) => path), ...(typeof name === "string" ? [name] : [])];
}
