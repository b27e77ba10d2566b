import { KleinbildError } from "../../errors.ts";
import type { ReferenceMode } from "../../transformer/denoiser.ts";

/** A file of a published model. */
export interface ManifestFile {
  /** Path in the repository. */
  readonly path: string;
  /** Size as published; absent if unknown. */
  readonly bytes?: number | undefined;
  /** Hexadecimal checksum; absent if unknown. */
  readonly sha256?: string | undefined;
}

/** The model that an id of the API stands for. */
export interface ModelManifest {
  /** AIR identifier, as in `model` of a task. */
  readonly id: string;
  /** Name for people. */
  readonly name: string;
  /** License of the weights. */
  readonly license: {
    /** Name for people, or SPDX identifier. */
    readonly name: string;
    /** Address of its text. */
    readonly url: string;
  };
  /** Address of the published weights. */
  readonly source: string;
  /** Files that a folder of the weights holds. */
  readonly files: readonly ManifestFile[];
  /** Size of the model. */
  readonly requirements: {
    /** Number of parameters. */
    readonly parameters: {
      /** Of the transformer. */
      readonly transformer: number;
      /** Of the text encoder. */
      readonly textEncoder: number;
    };
    /** GPU memory of transformer, text encoder and autoencoder together, in bytes, by `quantization`. */
    readonly weightBytes: {
      /** In 16 bits. */
      readonly none: number;
      /** In 8 bits. */
      readonly q8: number;
      /** In 4 bits. */
      readonly q4: number;
    };
  };
  /** `exact`: keys and values of references are cached; `recompute`: references take part in every step. */
  readonly referenceMode: Extract<ReferenceMode, "exact" | "recompute">;
  /** Whether the weights are distilled: then they take neither guidance nor step caching. */
  readonly distilled: boolean;
  /** `steps` of a task that has none. */
  readonly defaultSteps: number;
  /** Limits of the length of `negativePrompt`, in characters. */
  readonly negativePrompt: {
    /** Shortest. */
    readonly min: number;
    /** Longest. */
    readonly max: number;
  };
}

const APACHE = { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" };
const NON_COMMERCIAL = {
  name: "FLUX Non-Commercial License",
  url: "https://huggingface.co/black-forest-labs/FLUX.2-klein-9B",
};

/** Computed from the shapes in the published configs. */
const SIZES = {
  "4B": {
    parameters: { transformer: 3_875_544_576, textEncoder: 3_114_088_192 },
    weightBytes: { none: 14_147e6, q8: 7_350e6, q4: 4_350e6 },
  },
  "9B": {
    parameters: { transformer: 9_078_581_248, textEncoder: 5_831_883_520 },
    weightBytes: { none: 29_989e6, q8: 15_430e6, q4: 8_900e6 },
  },
} as const;

/** The diffusers layout. The weights of a part may be one file, or shards with an index. */
const FILES: readonly ManifestFile[] = [
  "model_index.json",
  "tokenizer/tokenizer.json",
  "tokenizer/tokenizer_config.json",
  "text_encoder/config.json",
  "text_encoder/model.safetensors",
  "transformer/config.json",
  "transformer/diffusion_pytorch_model.safetensors",
  "vae/config.json",
  "vae/diffusion_pytorch_model.safetensors",
].map((path) => ({ path }));

const KLEIN: readonly ModelManifest[] = [
  klein("runware:400@2", "9B", "FLUX.2 [klein] 9B", "FLUX.2-klein-9B", { distilled: true }),
  klein("runware:400@3", "9B", "FLUX.2 [klein] 9B Base", "FLUX.2-klein-base-9B", { distilled: false }),
  klein("runware:400@4", "4B", "FLUX.2 [klein] 4B", "FLUX.2-klein-4B", { distilled: true }),
  klein("runware:400@5", "4B", "FLUX.2 [klein] 4B Base", "FLUX.2-klein-base-4B", { distilled: false }),
  klein("runware:400@6", "9B", "FLUX.2 [klein] 9B KV", "FLUX.2-klein-9b-kv", { distilled: true, kv: true }),
];

function klein(
  id: string,
  size: keyof typeof SIZES,
  name: string,
  repository: string,
  { distilled, kv = false }: { readonly distilled: boolean; readonly kv?: boolean },
): ModelManifest {
  return {
    id,
    name,
    license: size === "4B" ? APACHE : NON_COMMERCIAL,
    source: `https://huggingface.co/black-forest-labs/${repository}`,
    files: FILES,
    requirements: SIZES[size],
    referenceMode: kv ? "exact" : "recompute",
    distilled,
    defaultSteps: distilled ? 4 : 28,
    negativePrompt: distilled ? { min: 2, max: 3000 } : { min: 1, max: 10_000 },
  };
}

/** The models that tasks can name: the five of FLUX.2 [klein], and those that the application adds. */
export class ModelRegistry {
  readonly #manifests = new Map(KLEIN.map((manifest) => [manifest.id, manifest]));

  constructor(more: readonly ModelManifest[] = []) {
    for (const manifest of more) this.register(manifest);
  }

  /** Adds a model, or replaces the one of the same id. @throws KleinbildError `invalid-request` */
  register(manifest: ModelManifest): void {
    // AIR: https://github.com/civitai/civitai/wiki/AIR-%E2%80%90-Uniform-Resource-Names-for-AI, here without urn:air
    if (!/^[\w.-]+:[\w.-]+(@[\w.-]+)?$/.test(manifest.id))
      throw new KleinbildError(
        "invalid-request",
        `A model's id must have the form source:model@version, as in runware:400@4; got ${JSON.stringify(manifest.id)}.`,
        { parameter: "id" },
      );
    this.#manifests.set(manifest.id, manifest);
  }

  get(id: string): ModelManifest | undefined {
    return this.#manifests.get(id);
  }

  get ids(): readonly string[] {
    return [...this.#manifests.keys()];
  }
}
