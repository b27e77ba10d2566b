import type { MemoryScope } from "./gpu/memory.ts";
import { stackRows } from "./gpu/rows.ts";
import type { PixelImage } from "./image/pixels.ts";
import type { Parts } from "./parts.ts";
import { hashReferences } from "./reference-key.ts";
import { keepReferences, type ReferenceMode, type References } from "./transformer/denoiser.ts";
import type { ReferenceKeysValues } from "./transformer/reference-cache.ts";
import { PIXELS_PER_TOKEN } from "./vae/autoencoder.ts";

/** What a run needs of its references; nothing but `hit` where it has none. */
export interface EncodedReferences {
  readonly references?: References;
  readonly kept?: ReferenceKeysValues;
  /** Whether the keys and values were kept from an earlier run. */
  readonly hit: boolean;
}

/** The references' latents, and in mode `exact` their kept keys and values, from the cache or computed. */
export async function encodeReferences(
  parts: Parts,
  request: { readonly references: readonly PixelImage[]; readonly referenceMode: ReferenceMode },
  scope: MemoryScope,
  pass: Parameters<typeof keepReferences>[0],
  signal?: AbortSignal,
): Promise<EncodedReferences> {
  if (request.references.length === 0) return { hit: false };
  const exact = request.referenceMode === "exact";
  const key = exact ? hashReferences(request.references, parts.fingerprint) : "";
  const kept = exact ? parts.referenceCache.get(key) : undefined;
  const grids = request.references.map(({ width, height }) => ({
    width: width / PIXELS_PER_TOKEN,
    height: height / PIXELS_PER_TOKEN,
  }));
  if (kept) return { kept, hit: true };
  const { recorder } = parts.gpu;
  const latents = [];
  for (const image of request.references) latents.push(await parts.vae.encode(scope, image, signal));
  const references = { latents: stackRows(recorder, scope, latents, parts.rowsPerChunk), grids };
  scope.release(...latents);
  if (!exact) return { references, hit: false };
  const computed = await keepReferences(pass, references, signal);
  parts.referenceCache.put(key, computed);
  return { references, kept: computed, hit: false };
}
