import type { Kleinbild } from "../../remote/kleinbild.ts";
import type { LoraInput } from "../../request/loras.ts";
import { TaskError } from "../schema/api-error.ts";
import { EngineSlot } from "./engine-slot.ts";
import type { Weights } from "./image-inference.ts";
import { type AllowHost, type Fetch, limitedFetch } from "../net/limited-fetch.ts";
import { MediaStore, type MediaUrls } from "../media/media-store.ts";
import { type ModelManifest, ModelRegistry } from "./model-registry.ts";
import { type RemoteChoice, LocalTaskRunner } from "./task-runner.ts";

/** Options of a task runner, whatever it loads weights from. */
export interface TaskRunnerOptions<Source extends object> {
  /** Weights by the ids that tasks name: options of `createKleinbild`. */
  readonly models?: Readonly<Record<string, Source>> | undefined;
  /** Models beside the five of FLUX.2 [klein], or in place of one of them. */
  readonly manifests?: readonly ModelManifest[] | undefined;
  /** Weights that answer for an id that has none in `models`; the warning is part of each response. Default: none. */
  readonly standIn?: ((manifest: ModelManifest) => Required<Weights<Source>> | undefined) | undefined;
  /** LoRAs by the ids that tasks name: safetensors files, or their http(s) addresses. */
  readonly loras?: Readonly<Record<string, LoraInput["data"] | string | URL>> | undefined;
  /** A server that speaks the API, for tasks that this machine cannot run, or for all. Default: none. */
  readonly remote?: RemoteChoice | undefined;
  /** Bytes of outputs and uploads that are kept by their UUIDs. Default: 256 MiB. */
  readonly mediaBytes?: number | undefined;
  /** Addresses of outputs. Default: object URLs in pages, temporary files in Node. */
  readonly mediaUrls?: MediaUrls | undefined;
  /** Fetches references and LoRAs, and delivers. Default: the platform's. */
  readonly fetch?: Fetch | undefined;
  /** Whether an address that a task names may be asked. Default: every http and https address. */
  readonly allowHost?: AllowHost | undefined;
}

/** Larger LoRAs than any that trainers write. */
const MAX_LORA_BYTES = 4 * 2 ** 30;
const LORA_TIMEOUT_MS = 600_000;

/** @param create  loads weights */
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
    pool: new EngineSlot(create),
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

function unknownLora(model: string, index: number, known: readonly string[]): TaskError {
  const there = known.length === 0 ? "none is registered" : `registered are ${known.join(", ")}`;
  return new TaskError([
    {
      code: "modelNotFound",
      message: `There is no LoRA ${JSON.stringify(model.slice(0, 80))}; ${there}. An http or https address of a safetensors file does as well.`,
      parameter: `lora[${index}].model`,
      type: "string",
    },
  ]);
}
