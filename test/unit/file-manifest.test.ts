import { describe, expect, it } from "vitest";
import { FILE_MANIFEST, readFileManifest } from "../../runtime/models/file-manifest.ts";
import { MemorySource } from "../support/model-files.ts";

const SHA = "0123456789abcdef".repeat(4);
const read = (manifest: unknown): ReturnType<typeof readFileManifest> =>
  readFileManifest(new MemorySource({ [FILE_MANIFEST]: JSON.stringify(manifest) }));

describe("readFileManifest", () => {
  it("gives sizes, hashes and mirrors", async () => {
    const chunks = { bytes: 4, sha256: [SHA, SHA, SHA] };
    const files = {
      "vae/a.safetensors": { bytes: 9, sha256: SHA, chunks },
      "model_index.json": { bytes: 0, sha256: SHA },
    };
    expect(await read({ formatVersion: 1, files })).toEqual({ formatVersion: 1, mirrors: [], files });
    const mirrors = ["https://example.org/klein/"];
    expect(await read({ formatVersion: 1, mirrors, files: {} })).toEqual({ formatVersion: 1, mirrors, files: {} });
  });

  it("is undefined where a model has none", async () =>
    expect(await readFileManifest(new MemorySource({}))).toBeUndefined());

  it.each([
    ["another version", { formatVersion: 2, files: {} }, /formatVersion/],
    ["no files", { formatVersion: 1 }, /files/],
    ["a size that is none", { formatVersion: 1, files: { a: { bytes: -1, sha256: SHA } } }, /files\.a\.bytes/],
    ["a short hash", { formatVersion: 1, files: { a: { bytes: 1, sha256: "ab" } } }, /a\.sha256: 64 hexadecimal/],
    ["capitals in a hash", { formatVersion: 1, files: { a: { bytes: 1, sha256: SHA.toUpperCase() } } }, /a\.sha256/],
    ["a mirror that is no address", { formatVersion: 1, mirrors: ["there"], files: {} }, /mirrors\.0/],
    [
      "chunks that do not cover the file",
      { formatVersion: 1, files: { a: { bytes: 9, sha256: SHA, chunks: { bytes: 4, sha256: [SHA, SHA] } } } },
      /a has 2 chunks of 4 bytes; 3 cover it/,
    ],
  ])("refuses %s", async (_, manifest, message) => {
    await expect(read(manifest)).rejects.toMatchObject({
      code: "invalid-model",
      message: expect.stringMatching(message),
      details: { path: FILE_MANIFEST },
    });
  });
});
