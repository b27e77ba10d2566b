import type { MemoryScope } from "./gpu/memory.ts";
import { stackRows } from "./gpu/rows.ts";
import type { PixelImage } from "./image/pixels.ts";
import type { Parts } from "./parts.ts";
import { hashReferences } from "./reference-key.ts";
import { keepReferences, type ReferenceMode, type References } from "./transformer/denoiser.ts";
import type { ReferenceKeysValues } from "./transformer/reference-cache.ts";
import { PIXELS_PER_TOKEN } from "./vae/autoencoder.ts";

/** What a velocity needs of the references; nothing but `hit` where there are none. */
export interface EncodedReferences {
  readonly references?: References;
  readonly kept?: ReferenceKeysValues;
  /** Whether the keys and values were kept from an earlier run. */
  readonly hit: boolean;
}

/** The references of a run: their latents are computed at most once, whichever weights ask for them. */
export class RunReferences {
  readonly #parts: Parts;
  readonly #images: readonly PixelImage[];
  readonly #mode: ReferenceMode;
  readonly #scope: MemoryScope;
  #references: References | undefined;

  /** @param scope  holds the latents */
  constructor(parts: Parts, images: readonly PixelImage[], mode: ReferenceMode, scope: MemoryScope) {
    this.#parts = parts;
    this.#images = images;
    this.#mode = mode;
    this.#scope = scope;
  }

  /**
   * The references for one set of weights: in mode `exact` their kept keys and values, from the cache or computed.
   *
   * @param weightsKey  tells this set of weights apart from every other
   */
  async encode(
    weightsKey: string,
    pass: Parameters<typeof keepReferences>[0],
    signal?: AbortSignal,
  ): Promise<EncodedReferences> {
    if (this.#images.length === 0) return { hit: false };
    if (this.#mode !== "exact") return { references: await this.#latents(signal), hit: false };
    const { referenceCache } = this.#parts;
    const key = hashReferences(this.#images, weightsKey);
    const kept = referenceCache.get(key);
    if (kept) return { kept, hit: true };
    const references = await this.#latents(signal);
    const computed = await keepReferences(pass, references, signal);
    referenceCache.put(key, computed);
    return { references, kept: computed, hit: false };
  }

  async #latents(signal?: AbortSignal): Promise<References> {
    if (this.#references) return this.#references;
    const { gpu, vae, rowsPerChunk } = this.#parts;
    const grids = this.#images.map(({ width, height }) => ({
      width: width / PIXELS_PER_TOKEN,
      height: height / PIXELS_PER_TOKEN,
    }));
    const latents = [];
    for (const image of this.#images) latents.push(await vae.encode(this.#scope, image, signal));
    this.#references = { latents: stackRows(gpu.recorder, this.#scope, latents, rowsPerChunk), grids };
    this.#scope.release(...latents);
    return this.#references;
  }
}
