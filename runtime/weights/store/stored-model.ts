import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import * as v from "valibot";
import type { StoreBackend } from "./store-backend.ts";

/** Bytes of a chunk. Each chunk has its own hash and can be downloaded again alone. */
export const CHUNK_BYTES = 1 << 20;

/** A file of a stored model. */
export interface StoredFile {
  /** Path in the model. */
  readonly path: string;
  /** Size of the file. */
  readonly bytes: number;
  /** SHA-256 of each chunk of 1 MiB, in hexadecimal. */
  readonly chunks: readonly string[];
}

/** A model in the store. */
export interface StoredModel {
  /** Identifies it: `createKleinbild({ model: "stored:<id>" })` opens it. */
  readonly id: string;
  /** Name for people. */
  readonly name: string;
  /** The address or path that it was read from. */
  readonly address: string;
  /** Whether all files are there. An incomplete download goes on when the model is requested again. */
  readonly complete: boolean;
  /** Bytes of its files. */
  readonly bytes: number;
  /** When it was first stored, ISO 8601. */
  readonly created: string;
  /** When an engine last opened it, ISO 8601. */
  readonly lastUsed: string;
  /** Its files. */
  readonly files: readonly StoredFile[];
}

const Natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Sha256 = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/));
const ManifestSchema = v.object({
  formatVersion: v.literal(1),
  name: v.string(),
  address: v.string(),
  complete: v.boolean(),
  created: v.string(),
  files: v.array(v.object({ path: v.string(), bytes: Natural, chunks: v.array(Sha256) })),
});

/** The store's record of a model: its complete files, and whether these are all. */
export interface Manifest {
  readonly formatVersion: 1;
  readonly name: string;
  readonly address: string;
  readonly complete: boolean;
  readonly created: string;
  readonly files: readonly StoredFile[];
}

/** Writes a JSON value after its hash, so that a half-written file is recognized. */
export async function writeSealed(backend: StoreBackend, path: string, value: unknown): Promise<void> {
  const json = utf8ToBytes(JSON.stringify(value));
  const sealed = new Uint8Array(64 + json.length);
  sealed.set(utf8ToBytes(await sha256(json)));
  sealed.set(json, 64);
  await backend.replace(path, sealed);
}

/** Tries to read a file that another tab may replace meanwhile. */
const READS = 3;

/** Reads a value of `writeSealed`; undefined if there is none or it is half-written. */
export async function readSealed(backend: StoreBackend, path: string): Promise<unknown> {
  for (let reads = 0; reads < READS; reads++) {
    const file = await backend.read(path);
    if (!file) return undefined;
    const bytes = await file.read(0, file.size).catch(ignoreReplacement);
    await file.close();
    if (!bytes || bytes.length < 64) continue;
    const json = bytes.slice(64);
    if (new TextDecoder().decode(bytes.subarray(0, 64)) !== (await sha256(json))) continue;
    return JSON.parse(new TextDecoder().decode(json)) as unknown;
  }
  return undefined;
}

/** Browsers throw these errors for a file that was replaced after it was opened. */
function ignoreReplacement(error: unknown): undefined {
  if (error instanceof DOMException && (error.name === "NotFoundError" || error.name === "NotReadableError"))
    return undefined;
  throw error;
}

export async function readManifest(backend: StoreBackend, id: string): Promise<Manifest | undefined> {
  const parsed = v.safeParse(ManifestSchema, await readSealed(backend, `${id}/model.json`));
  return parsed.success ? parsed.output : undefined;
}

export async function writeManifest(backend: StoreBackend, id: string, manifest: Manifest): Promise<void> {
  await writeSealed(backend, `${id}/model.json`, manifest);
}

/** SHA-256, hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

export const HASH_BYTES = 32;

export const hashBytes = (hex: string): Uint8Array<ArrayBuffer> => hexToBytes(hex);
export const hashText = (bytes: Uint8Array): string => bytesToHex(bytes);

/** The path of a model's file in the store. Its names are encoded, because a file system may not allow them. */
export function storedFilePath(id: string, path: string): string {
  return `${id}/files/${path.split("/").map(encodeURIComponent).join("/")}`;
}
