import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { LoadEvent } from "../events.ts";
import { stackMatrix } from "../gpu/chunked-matrix.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import type { StageRunner } from "./stage-runner.ts";
import { lorasByWeights } from "./loras-by-weights.ts";
import type { ReferenceLatents } from "../transformer/denoiser.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";

/** The references of a run, as far as its weights need them. */
export interface EncodedReferences extends Disposable {
  /** Undefined without references, and where the cache has the keys and values for all weights of the run. */
  readonly latents: ReferenceLatents | undefined;
  /** Keys in the reference cache, by the key of a set of weights. Empty where the run uses no cache. */
  readonly cacheKeys: ReadonlyMap<string, string>;
}

type CacheKeyInputs = Pick<PipelineRequest, "references" | "referenceMode" | "program" | "loras">;

/** Encodes the references of a run, unless all that would be computed from their latents is cached. */
export async function* encodeReferences(
  stages: StageRunner,
  model: Pick<LoadedModel, "gpu" | "vae" | "rowsPerChunk" | "referenceCache" | "fingerprint">,
  request: CacheKeyInputs,
): AsyncGenerator<LoadEvent, EncodedReferences> {
  const { references } = request;
  const cacheKeys = referenceCacheKeys(model, request);
  const isCached = cacheKeys.size > 0 && [...cacheKeys.values()].every((key) => model.referenceCache.has(key));
  const latents =
    references.length === 0 || isCached
      ? undefined
      : yield* stages.run({ stage: "encode", name: "encoding", timing: "references" }, () =>
          encodeLatents(stages, model, references),
        );
  return { latents, cacheKeys, [Symbol.dispose]: () => model.referenceCache.trim() };
}

/** Keys in the reference cache of a run, by the key of each of its sets of weights: none unless the mode is `exact`. */
export function referenceCacheKeys(
  model: Pick<LoadedModel, "fingerprint">,
  request: CacheKeyInputs,
): ReadonlyMap<string, string> {
  const { references, referenceMode } = request;
  if (references.length === 0 || referenceMode !== "exact") return new Map();
  const weights = [...lorasByWeights(model, request).keys()];
  return new Map(weights.map((key) => [key, hashReferences(references, key)]));
}

/**
 * The key of cached reference keys and values: SHA-256 over everything that they depend on.
 *
 * @param references  in their order; pixels and sizes count
 * @param weightsKey  differs from set of weights to set of weights
 */
export function hashReferences(references: readonly PixelImage[], weightsKey: string): string {
  const sizes = references.map(({ width, height }) => [width, height]);
  const hash = sha256.create().update(new TextEncoder().encode(JSON.stringify([weightsKey, sizes])));
  for (const { data } of references) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return bytesToHex(hash.digest());
}

async function encodeLatents(
  { scope, signal }: StageRunner,
  { gpu, vae, rowsPerChunk }: Pick<LoadedModel, "gpu" | "vae" | "rowsPerChunk">,
  references: readonly PixelImage[],
): Promise<ReferenceLatents> {
  const grids = references.map(({ width, height }) => ({
    width: width / PIXELS_PER_TOKEN,
    height: height / PIXELS_PER_TOKEN,
  }));
  const encoded = [];
  for (const image of references) encoded.push(await vae.encode(scope, image, signal));
  const latents = stackMatrix(gpu.recorder, scope, encoded, rowsPerChunk);
  scope.release(...encoded);
  return { latents, grids };
}
