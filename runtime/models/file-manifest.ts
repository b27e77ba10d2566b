import * as v from "valibot";
import { KleinbildError } from "../errors.ts";
import { readJson } from "../weights/sources/read-json.ts";
import type { ModelSource } from "../weights/sources/model-source.ts";

/** A file beside `model_index.json` with sizes and checksums of the other files. */
export const FILE_MANIFEST = "kleinbild-files.json";

const Sha256 = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/, "64 hexadecimal digits were expected"));
const Size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Chunks = v.object({ bytes: v.pipe(Size, v.minValue(1)), sha256: v.array(Sha256) });
const Entry = v.object({ bytes: Size, sha256: Sha256, chunks: v.optional(Chunks) });

const Manifest = v.object({
  formatVersion: v.literal(1),
  /** Addresses of folders that hold the same files. */
  mirrors: v.optional(v.array(v.pipe(v.string(), v.url())), []),
  files: v.record(v.string(), Entry),
});

export type FileManifest = v.InferOutput<typeof Manifest>;

/**
 * The manifest of a model; undefined where it has none.
 * @throws KleinbildError `invalid-model` when it is malformed or the chunks of a file do not cover it
 */
export async function readFileManifest(source: ModelSource, signal?: AbortSignal): Promise<FileManifest | undefined> {
  if (!(await source.exists(FILE_MANIFEST, signal))) return undefined;
  const parsed = v.safeParse(Manifest, await readJson(source, FILE_MANIFEST, signal));
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw invalid(`${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
  }
  for (const [path, { bytes, chunks }] of Object.entries(parsed.output.files)) {
    const expected = chunks && Math.ceil(bytes / chunks.bytes);
    if (chunks && chunks.sha256.length !== expected)
      throw invalid(`${path} has ${chunks.sha256.length} chunks of ${chunks.bytes} bytes; ${expected} cover it`);
  }
  return parsed.output;
}

function invalid(message: string): KleinbildError {
  return new KleinbildError("invalid-model", `${FILE_MANIFEST}: ${message}.`, { path: FILE_MANIFEST });
}
