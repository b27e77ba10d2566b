import * as v from "valibot";
import type { ImageType } from "./codec.ts";
import { findJpegXmp, insertJpegXmp } from "./jpeg.ts";
import { findPngXmp, insertPngXmp } from "./png.ts";
import { findWebpXmp, insertWebpXmp } from "./webp.ts";
import { buildXmp, readXmpSettings } from "./xmp.ts";

const Metadata = v.object({
  software: v.string(),
  model: v.string(),
  prompt: v.string(),
  /** With guidance only. */
  negativePrompt: v.optional(v.string()),
  guidance: v.optional(v.number()),
  /** Decimal. */
  seed: v.pipe(v.string(), v.regex(/^\d+$/)),
  noise: v.picklist(["counter", "torch"]),
  steps: v.number(),
  width: v.number(),
  height: v.number(),
});

/** How a picture was made; written into its file. */
export type ImageMetadata = Readonly<v.InferOutput<typeof Metadata>>;

interface Container {
  readonly type: ImageType;
  /** First bytes of such a file; undefined matches any. */
  readonly signature: readonly (number | undefined)[];
  /** The XMP packet of a well-formed file; undefined where there is none or the file is damaged before it. */
  readonly find: (bytes: Uint8Array) => Uint8Array | undefined;
  /** The file with the packet in it; undefined where the format has no room for it. */
  readonly insert: (
    bytes: Uint8Array,
    packet: Uint8Array,
    size: { width: number; height: number },
  ) => Uint8Array<ArrayBuffer> | undefined;
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

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

/**
 * The file with the metadata in it, as an XMP packet that other software shows too.
 *
 * @returns undefined where the format has no room for it: JPEG takes about 60 000 bytes
 */
export function writeMetadata(
  bytes: Uint8Array,
  type: ImageType,
  metadata: ImageMetadata,
): Uint8Array<ArrayBuffer> | undefined {
  const packet = new TextEncoder().encode(buildXmp(JSON.stringify(metadata), metadata.prompt, metadata.software));
  return CONTAINERS.find((container) => container.type === type)!.insert(bytes, packet, metadata);
}

/** How a PNG, JPEG or WebP file of this package was made; undefined for other files, and for damaged ones. */
export async function readMetadata(file: Blob | ArrayBuffer | Uint8Array): Promise<ImageMetadata | undefined> {
  const bytes =
    file instanceof Uint8Array ? file : new Uint8Array(file instanceof Blob ? await file.arrayBuffer() : file);
  const container = CONTAINERS.find(({ signature }) =>
    signature.every((byte, i) => byte === undefined || bytes[i] === byte),
  );
  const packet = container?.find(bytes);
  if (!packet) return undefined;
  const settings = readXmpSettings(new TextDecoder().decode(packet));
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Metadata), settings);
  return parsed.success ? parsed.output : undefined;
}
