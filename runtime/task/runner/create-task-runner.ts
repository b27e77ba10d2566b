import type { Kleinbild } from "../../remote/kleinbild.ts";
import type { LoraInput } from "../../request/loras.ts";
import { EngineSlot } from "./engine-slot.ts";
import type { Weights } from "./image-inference.ts";
import { type AllowHost, type Fetch, limitedFetch } from "../net/limited-fetch.ts";
import { MediaStore, type MediaUrls } from "../media/media-store.ts";
import { type ModelManifest, ModelRegistry } from "./model-registry.ts";
import { unknownLora } from "./refusals.ts";
import { type RemoteChoice, LocalTaskRunner } from "./task-runner.ts";

/** Options of `createTaskRunner`. @typeParam Source  options of `createKleinbild` on the platform */
export interface TaskRunnerOptions<Source extends object> {
  /** Model id → options of `createKleinbild` that load its weights. Default: no model has weights. */
  readonly models?: Readonly<Record<string, Source>> | undefined;
  /** Models besides the five of FLUX.2 [klein]; one with the id of another replaces it. Default: none. */
  readonly manifests?: readonly ModelManifest[] | undefined;
  /** Chooses a substitute for a model without weights in `models`, with a warning for each result. Default: no substitutes. */
  readonly standIn?: ((manifest: ModelManifest) => Required<Weights<Source>> | undefined) | undefined;
  /** LoRA id → its safetensors file, or the http(s) address of the file. Default: none; addresses always work. */
  readonly loras?: Readonly<Record<string, LoraInput["data"] | string | URL>> | undefined;
  /** A server that speaks the API, for all tasks or for those that this machine cannot run. Default: none. */
  readonly remote?: RemoteChoice | undefined;
  /** Most bytes of stored outputs and uploads. Default: 256 MiB. */
  readonly mediaBytes?: number | undefined;
  /** Makes the addresses of outputs. Default: object URLs in pages, temporary files in Node. */
  readonly mediaUrls?: MediaUrls | undefined;
  /** Fetches references and LoRAs, and delivers results. Default: the platform's. */
  readonly fetch?: Fetch | undefined;
  /** Whether an address in a task may be fetched. Default: every http and https address. */
  readonly allowHost?: AllowHost | undefined;
}

/** More than any trainer writes. */
const MAX_LORA_BYTES = 4 * 2 ** 30;
const LORA_TIMEOUT_MS = 600_000;

/** Makes a task runner of either platform. @param create  loads weights */
export function makeTaskRunner<Source extends object>(
  options: TaskRunnerOptions<Source>,
  create: (source: Source, signal: AbortSignal) => Promise<Kleinbild>,
): LocalTaskRunner<Source> {
  const { models = {}, manifests, standIn, loras = {}, remote, mediaBytes, mediaUrls, fetch, allowHost } = options;
  const store = new MediaStore({ maxBytes: mediaBytes, urls: mediaUrls });
  const network = { fetch, allowHost };
  return new LocalTaskRunner({
    registry: new ModelRegistry(manifests),
    weightsFor: (manifest) =>
      Object.hasOwn(models, manifest.id) ? { source: models[manifest.id]! } : standIn?.(manifest),
    slot: new EngineSlot(create),
    exchange: { store, ...network },
    remote,
    readLora: async (model, index, signal) => {
      const known = Object.hasOwn(loras, model) ? loras[model]! : undefined;
      if (known !== undefined && typeof known !== "string" && !(known instanceof URL)) return known;
      const address = String(known ?? model);
      if (!/^https?:/i.test(address)) throw unknownLora(model, index, Object.keys(loras));
      const limits = { maxBytes: MAX_LORA_BYTES, timeoutMs: LORA_TIMEOUT_MS };
      return limitedFetch(address, { ...network, signal, limits });
    },
  });
}
