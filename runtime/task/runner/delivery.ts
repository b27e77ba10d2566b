import type { EncodedImage, EncodeOptions, ImageType } from "../../image/codec.ts";
import type { ApiError } from "../schema/api-error.ts";
import { encodeBase64 } from "../media/base64.ts";
import { encodeDataUri } from "../media/data-uri.ts";
import type { ResolvedImageInferenceTask } from "../schema/image-inference-task.ts";
import type { MediaStore, StoredMedia } from "../media/media-store.ts";
import { postJson, putBytes, type PushOptions } from "../net/push.ts";
import type { ImageItem, RunSummary } from "../schema/response.ts";

/** The fields of a task about delivery. */
export type DeliveryFields = Pick<
  ResolvedImageInferenceTask,
  "taskUUID" | "outputType" | "outputFormat" | "outputQuality" | "ttl" | "includeCost" | "webhookURL" | "uploadEndpoint"
>;

/** A picture that can be written as a file, such as GeneratedImage. */
export interface Encodable {
  encode(options: EncodeOptions): Promise<EncodedImage>;
}

export interface DeliveredPicture {
  readonly image: Encodable;
  /** Seed of this picture. */
  readonly seed: bigint;
  /** Warnings of the task and of the run. */
  readonly warnings?: readonly string[] | undefined;
  readonly run?: RunSummary | undefined;
}

export interface DeliveryOptions extends Omit<PushOptions, "timeoutMs"> {
  /** Stores the picture for later tasks, and makes its address. */
  readonly store: MediaStore;
  /** Longest time of one attempt. Default: 10 seconds. */
  readonly webhookTimeoutMs?: number | undefined;
  /** Longest time of one attempt. Default: 60 seconds. */
  readonly uploadTimeoutMs?: number | undefined;
}

const TYPES: Readonly<Record<DeliveryFields["outputFormat"], ImageType>> = {
  JPG: "image/jpeg",
  PNG: "image/png",
  WEBP: "image/webp",
};

/** How the pictures of a task are encoded. Tasks have the quality in percent, codecs as 0 … 1. */
export function encodeOptions({
  outputFormat,
  outputQuality,
}: Pick<DeliveryFields, "outputFormat" | "outputQuality">): EncodeOptions {
  return { type: TYPES[outputFormat], quality: outputQuality / 100 };
}

/**
 * Encodes a picture, stores it, uploads it if the task asks for it, and calls the task's webhook. Failures after the
 * encoding become warnings, so that the picture is not lost.
 *
 * `ttl` applies to outputs with an address, as in the hosted API. Others are stored as long as there is room.
 *
 * @throws KleinbildError of the encoder, or the reason of the signal
 */
export async function deliverPicture(
  { image, seed, warnings = [], run }: DeliveredPicture,
  task: DeliveryFields,
  options: DeliveryOptions,
): Promise<ImageItem> {
  const { signal, uploadTimeoutMs } = options;
  signal?.throwIfAborted();
  const encoded = await image.encode(encodeOptions(task));
  signal?.throwIfAborted();
  const said = [...warnings, ...encoded.warnings];
  const media = keep(encoded, task, options.store, said);
  const output = outputFields(media, task.outputType, options.store, said);
  if (task.uploadEndpoint !== undefined)
    add(said, await putBytes(task.uploadEndpoint, media, { ...options, timeoutMs: uploadTimeoutMs }));
  const item: ImageItem = {
    taskType: "imageInference",
    taskUUID: task.taskUUID,
    imageUUID: media.uuid,
    ...output,
    seed: seedInJson(seed),
    ...(task.includeCost && { cost: 0 }),
    ...(said.length > 0 && { warnings: said }),
    ...(run && { run }),
  };
  const failure = await postToWebhook(task, { data: [item] }, options);
  return failure === undefined ? item : { ...item, warnings: [...said, failure] };
}

/**
 * Posts errors of a task to its webhook, if it has one.
 *
 * @returns undefined, or what went wrong as a sentence
 * @throws the reason of the signal
 */
export function deliverErrors(
  errors: readonly ApiError[],
  task: Pick<DeliveryFields, "webhookURL">,
  options: Omit<DeliveryOptions, "store">,
): Promise<string | undefined> {
  return postToWebhook(task, { errors }, options);
}

/** A seed that JSON keeps exact: a number up to 2⁵³ − 1, a string of digits beyond. */
export function seedInJson(seed: bigint): number | string {
  return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : seed.toString();
}

async function postToWebhook(
  { webhookURL }: Pick<DeliveryFields, "webhookURL">,
  message: unknown,
  { webhookTimeoutMs, ...options }: Omit<DeliveryOptions, "store">,
): Promise<string | undefined> {
  if (webhookURL === undefined) return undefined;
  return postJson(webhookURL, message, { ...options, timeoutMs: webhookTimeoutMs });
}

/** Stores the file; if it is larger than the store, only gives it a UUID. */
function keep(
  { bytes, type }: EncodedImage,
  { outputType, ttl }: DeliveryFields,
  store: MediaStore,
  warnings: string[],
): StoredMedia {
  if (bytes.length <= store.maxBytes) return store.put(bytes, type, outputType === "URL" ? { ttlSeconds: ttl } : {});
  warnings.push(
    `The picture cannot be a later task's reference: it has ${bytes.length} bytes, and there is room for ${store.maxBytes}.`,
  );
  return { uuid: crypto.randomUUID(), bytes, type };
}

function outputFields(
  media: StoredMedia,
  outputType: DeliveryFields["outputType"],
  store: MediaStore,
  warnings: string[],
): Pick<ImageItem, "imageURL" | "imageBase64Data" | "imageDataURI"> {
  const { bytes, type, uuid } = media;
  switch (outputType) {
    case "base64Data":
      return { imageBase64Data: encodeBase64(bytes) };
    case "dataURI":
      return { imageDataURI: encodeDataUri(bytes, type) };
    case "URL": {
      const problem = `The picture is given as imageDataURI: no address could be made for it`;
      try {
        const imageURL = store.urlOf(uuid);
        if (imageURL !== undefined) return { imageURL };
        warnings.push(`${problem}.`);
      } catch (error) {
        warnings.push(`${problem} (${error instanceof Error ? error.message : String(error)}).`);
      }
      return { imageDataURI: encodeDataUri(bytes, type) };
    }
    default:
      return outputType satisfies never;
  }
}

function add(warnings: string[], warning: string | undefined): void {
  if (warning !== undefined) warnings.push(warning);
}
