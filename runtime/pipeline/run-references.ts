import type { MemoryScope } from "../gpu/memory.ts";
import { stackMatrix } from "../gpu/chunked-matrix.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import { hashReferences } from "./reference-key.ts";
import { computeReferenceKeysValues, type ReferenceMode, type References } from "../transformer/denoiser.ts";
import type { ReferenceKeysValues } from "../transformer/reference-cache.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";

/** What a velocity needs of the references; nothing but `hit` where there are none. */
export interface EncodedReferences {
  readonly references?: References;
  readonly cached?: ReferenceKeysValues;
  /** Whether the keys and values were kept from an earlier run. */
  readonly hit: boolean;
}

/** The references of a run: their latents are computed at most once, whichever weights ask for them. */
export class RunReferences {
  readonly #parts: LoadedModel;
  readonly #images: readonly PixelImage[];
  readonly #mode: ReferenceMode;
  readonly #scope: MemoryScope;
  readonly #keys = new Map<string, string>();
  #references: References | undefined;

  /** @param scope  holds the latents */
  constructor(parts: LoadedModel, images: readonly PixelImage[], mode: ReferenceMode, scope: MemoryScope) {
    this.#parts = parts;
    this.#images = images;
    this.#mode = mode;
    this.#scope = scope;
  }

  /** Key of the kept keys and values for a set of weights. @param weightsKey  tells it apart from every other */
  keyOf(weightsKey: string): string {
    const known = this.#keys.get(weightsKey) ?? hashReferences(this.#images, weightsKey);
    this.#keys.set(weightsKey, known);
    return known;
  }

  /** Whether the sets of weights need the latents, so the autoencoder: not where all that they would give is kept. */
  needsLatents(weightsKeys: Iterable<string>): boolean {
    if (this.#images.length === 0 || this.#references) return false;
    if (this.#mode !== "exact") return true;
    return [...weightsKeys].some((key) => !this.#parts.referenceCache.has(this.keyOf(key)));
  }

  /** The latents of the references, computed at the first call. */
  async encode(signal?: AbortSignal): Promise<References> {
    this.#references ??= await this.#encode(signal);
    return this.#references;
  }

  /** The references for one set of weights: in mode `exact` their kept keys and values, from the cache or computed. */
  async prepare(
    weightsKey: string,
    pass: Parameters<typeof computeReferenceKeysValues>[0],
    signal?: AbortSignal,
  ): Promise<EncodedReferences> {
    if (this.#images.length === 0) return { hit: false };
    if (this.#mode !== "exact") return { references: await this.encode(signal), hit: false };
    const { referenceCache } = this.#parts;
    const key = this.keyOf(weightsKey);
    const cached = referenceCache.get(key);
    if (cached) return { cached, hit: true };
    const references = await this.encode(signal);
    const computed = await computeReferenceKeysValues(pass, references, { signal });
    referenceCache.put(key, computed);
    return { references, cached: computed, hit: false };
  }

  async #encode(signal?: AbortSignal): Promise<References> {
    const { gpu, vae, rowsPerChunk } = this.#parts;
    const grids = this.#images.map(({ width, height }) => ({
      width: width / PIXELS_PER_TOKEN,
      height: height / PIXELS_PER_TOKEN,
    }));
    const latents = [];
    for (const image of this.#images) latents.push(await vae.encode(this.#scope, image, signal));
    const rows = stackMatrix(gpu.recorder, this.#scope, latents, rowsPerChunk);
    this.#scope.release(...latents);
    return { latents: rows, grids };
  }
}
