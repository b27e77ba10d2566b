import type { DenseBackend } from "../backend/backend.ts";
import { KleinbildError } from "../errors.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { EmbeddingTable } from "../text/embedding.ts";
import { TextEncoder } from "../text/encoder.ts";
import { loadTextEncoderWeights } from "../text/weights.ts";
import { TransformerModel } from "../transformer/model.ts";
import { loadTransformerWeights } from "../transformer/weights.ts";
import { Autoencoder } from "../vae/autoencoder.ts";
import { loadVaeWeights } from "../vae/weights.ts";
import { inventory, type WeightPart } from "../weights/inventory.ts";
import type { WeightLoader } from "../weights/loader/weight-loader.ts";
import type { OpenModel } from "../weights/open-model.ts";

/** A part of the model, with its weights while they are on the GPU. */
class ResidentPart<T> {
  readonly name: WeightPart;
  /** Bytes of the files that a load reads. */
  readonly fileBytes: number;
  readonly #build: (loader: WeightLoader) => Promise<T>;
  #loaded: { readonly value: T; readonly loader: WeightLoader } | undefined;

  /** @param build  loads the weights */
  constructor(name: WeightPart, fileBytes: number, build: (loader: WeightLoader) => Promise<T>) {
    this.name = name;
    this.fileBytes = fileBytes;
    this.#build = build;
  }

  get isLoaded(): boolean {
    return this.#loaded !== undefined;
  }

  /** @throws KleinbildError `internal` while it is not loaded */
  get value(): T {
    if (!this.#loaded) throw new KleinbildError("internal", `The part ${this.name} is used while it is not loaded.`);
    return this.#loaded.value;
  }

  /** Loads the weights. When that fails or is aborted, frees those that have already arrived. */
  async load(loader: WeightLoader): Promise<void> {
    try {
      this.#loaded = { value: await this.#build(loader), loader };
    } catch (error) {
      loader.dispose();
      throw error;
    }
  }

  free(): void {
    this.#loaded?.loader.dispose();
    this.#loaded = undefined;
  }
}

export interface ModelParts {
  readonly textEncoder: ResidentPart<TextEncoder>;
  readonly transformer: ResidentPart<TransformerModel>;
  readonly vae: ResidentPart<Autoencoder>;
}

interface PartOptions {
  readonly gpu: Gpu;
  readonly backend: DenseBackend;
  readonly scalar: ScalarType;
  readonly model: Pick<OpenModel, "config" | "stores">;
  readonly embedding: Pick<EmbeddingTable, "lookUp">;
  readonly rowsPerChunk: number;
}

/** The parts of a model with weights; none of them is loaded yet. */
export function describeParts({ model, embedding, ...common }: PartOptions): ModelParts {
  const { config, stores } = model;
  const { gpu, backend, scalar } = common;
  /** Tables stay in the file. */
  const fileBytes = (part: WeightPart): number =>
    inventory(config, part).reduce(
      (sum, { name, role }) => sum + (role === "table" ? 0 : stores[part].bytesOf(name)),
      0,
    );
  return {
    textEncoder: new ResidentPart("textEncoder", fileBytes("textEncoder"), async (loader) => {
      const layers = await loadTextEncoderWeights(loader, config.text, Math.max(...config.textLayers));
      return new TextEncoder({ ...common, config: config.text, layers, stacked: config.textLayers, embedding });
    }),
    transformer: new ResidentPart("transformer", fileBytes("transformer"), async (loader) => {
      const weights = await loadTransformerWeights(loader, config.transformer);
      return new TransformerModel({ ...common, config: config.transformer, weights });
    }),
    vae: new ResidentPart(
      "vae",
      fileBytes("vae"),
      async (loader) => new Autoencoder(gpu, backend, scalar, config.vae, await loadVaeWeights(loader, config.vae)),
    ),
  };
}
