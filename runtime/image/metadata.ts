import * as v from "valibot";
import { ascii } from "./bytes.ts";
import type { ImageType } from "./codec.ts";
import { findJpegXmp, insertJpegXmp } from "./jpeg.ts";
import { findPngXmp, insertPngXmp } from "./png.ts";
import { findWebpXmp, insertWebpXmp } from "./webp.ts";
import { buildXmp, readXmpSettings } from "./xmp.ts";

/** How a picture was made. Image files of this package contain it as XMP. */
export interface ImageMetadata {
  /** The program that made the picture, with its version. */
  readonly software: string;
  /** Name of the model. */
  readonly model: string;
  /** The prompt. */
  readonly prompt: string;
  /** The negative prompt. Only present when guidance was used. */
  readonly negativePrompt?: string | undefined;
  /** The guidance scale. Absent without guidance. */
  readonly guidance?: number | undefined;
  /** The seed of this picture, as decimal digits. */
  readonly seed: string;
  /** The kind of noise that the seed stands for. */
  readonly noise: "counter" | "torch";
  /** Denoising steps. */
  readonly steps: number;
  /** Name of the scheduler. Absent for the model's own. */
  readonly scheduler?: string | undefined;
  /** The step cache: a preset, or the options of `GenerateRequest`. Absent without one. */
  readonly acceleration?: string | Readonly<Record<"method", string> & Record<string, unknown>> | undefined;
  /** The LoRAs that were used. Absent without any. */
  readonly loras?: readonly LoraMetadata[] | undefined;
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
}

/** A LoRA that a picture was made with. */
export interface LoraMetadata {
  /** Its name, usually the file's. */
  readonly name: string;
  /** Its strength. */
  readonly weight: number;
  /** The noise levels in which it acted: `high`, `low` or `both`. */
  readonly stages: string;
}

const Metadata = v.object({
  software: v.string(),
  model: v.string(),
  prompt: v.string(),
  negativePrompt: v.optional(v.string()),
  guidance: v.optional(v.number()),
  seed: v.pipe(v.string(), v.regex(/^\d+$/)),
  noise: v.picklist(["counter", "torch"]),
  steps: v.number(),
  scheduler: v.optional(v.string()),
  acceleration: v.optional(v.union([v.string(), v.looseObject({ method: v.string() })])),
  loras: v.optional(v.array(v.object({ name: v.string(), weight: v.number(), stages: v.string() }))),
  width: v.number(),
  height: v.number(),
}) satisfies v.GenericSchema<ImageMetadata>;

/** Far longer than any prompt, and short enough for a string. */
const MAX_XMP_BYTES = 2 ** 28;

interface Container {
  readonly type: ImageType;
  /** First bytes of such a file; undefined matches any. */
  readonly signature: readonly (number | undefined)[];
  /** The XMP of a file; undefined where there is none or the file is damaged before it. */
  readonly find: (bytes: Uint8Array) => Uint8Array | undefined;
  /** A well-formed file that has no XMP, with it. */
  readonly insert: (bytes: Uint8Array, xmp: string) => Uint8Array<ArrayBuffer>;
}

const CONTAINERS: readonly Container[] = [
  { type: "image/png", signature: [0x89, ...ascii("PNG\r\n"), 0x1a, 0x0a], find: findPngXmp, insert: insertPngXmp },
  { type: "image/jpeg", signature: [0xff, 0xd8], find: findJpegXmp, insert: insertJpegXmp },
  {
    type: "image/webp",
    signature: [...ascii("RIFF"), undefined, undefined, undefined, undefined, ...ascii("WEBP")],
    find: findWebpXmp,
    insert: insertWebpXmp,
  },
];

/** An encoder's file with the metadata in it, as XMP, which other software shows too. A prompt of any length fits. */
export function writeMetadata(bytes: Uint8Array, type: ImageType, metadata: ImageMetadata): Uint8Array<ArrayBuffer> {
  // JSON escapes all that XML forbids but these two
  const settings = JSON.stringify(metadata).replaceAll("\uFFFE", "\\ufffe").replaceAll("\uFFFF", "\\uffff");
  const xmp = buildXmp(settings, metadata.prompt, metadata.software);
  return CONTAINERS.find((container) => container.type === type)!.insert(bytes, xmp);
}

/**
 * Reads how a PNG, JPEG or WebP file of this package was made. Anybody can write such metadata: treat it as you treat
 * user input.
 *
 * ```ts
 * const metadata = await readMetadata(file);
 * if (metadata) console.log(metadata.prompt, metadata.seed);
 * ```
 *
 * @returns undefined for files of other programs and for damaged files
 */
export async function readMetadata(file: Blob | ArrayBuffer | Uint8Array): Promise<ImageMetadata | undefined> {
  const bytes =
    file instanceof Uint8Array ? file : new Uint8Array(file instanceof Blob ? await file.arrayBuffer() : file);
  const container = CONTAINERS.find(({ signature }) =>
    signature.every((byte, i) => byte === undefined || bytes[i] === byte),
  );
  const xmp = container?.find(bytes);
  if (!xmp || xmp.length > MAX_XMP_BYTES) return undefined;
  const settings = readXmpSettings(new TextDecoder().decode(xmp));
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Metadata), settings);
  return parsed.success ? parsed.output : undefined;
}
