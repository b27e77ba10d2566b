import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FolderSource } from "../../runtime/node/folder-source.ts";

const BYTES = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

describe("FolderSource", () => {
  let folder = "";
  let source: FolderSource;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kleinbild-"));
    await mkdir(join(folder, "part"));
    await writeFile(join(folder, "part/weights"), BYTES);
    await writeFile(join(folder, "empty"), "");
    source = new FolderSource(folder);
  });
  afterAll(async () => {
    await source.close();
    await rm(folder, { recursive: true });
  });

  it("knows which files exist; folders are none", async () => {
    expect(await source.exists("part/weights")).toBe(true);
    expect(await source.exists("part/other")).toBe(false);
    expect(await source.exists("part")).toBe(false);
    expect(await source.exists("empty/below")).toBe(false); // a file, not a folder
  });

  it("gives the size and reads any range into its own buffer", async () => {
    const file = await source.open("part/weights");
    expect(file.size).toBe(1000);
    for (const [offset, length] of [
      [0, 1000],
      [0, 1],
      [999, 1],
      [313, 257],
      [1000, 0],
      [0, 0],
    ] as const) {
      const bytes = await file.read(offset, length);
      expect(bytes).toEqual(BYTES.slice(offset, offset + length));
      expect(bytes.buffer.byteLength).toBe(length);
    }
  });

  it("opens empty files", async () => {
    const file = await source.open("empty");
    expect(file.size).toBe(0);
    expect(await file.read(0, 0)).toHaveLength(0);
  });

  for (const [offset, length] of [
    [0, 1001],
    [1000, 1],
    [5000, 10],
    [0, Number.MAX_SAFE_INTEGER],
  ] as const)
    it(`refuses ${length} bytes from byte ${offset} of 1000`, async () => {
      const file = await source.open("part/weights");
      await expect(file.read(offset, length)).rejects.toMatchObject({
        code: "invalid-model",
        message: `part/weights ends at byte 1000; ${offset + length} bytes were expected.`,
        details: { path: "part/weights" },
      });
    });

  it("says so when a file was cut after it was opened", async () => {
    await writeFile(join(folder, "shrinking"), BYTES);
    const file = await source.open("shrinking");
    await truncate(join(folder, "shrinking"), 600);
    expect(await file.read(0, 600)).toEqual(BYTES.slice(0, 600));
    await expect(file.read(500, 200)).rejects.toMatchObject({
      code: "invalid-model",
      message: "shrinking ends at byte 600; 700 bytes were expected.",
    });
  });

  for (const [what, path, message] of [
    ["a file that is not there", "part/other", /^part\/other is not in .+\.$/],
    ["a file below a file", "empty/below", /^empty\/below is not in .+\.$/],
    ["a folder", "part", /^part in .+ is not a file\.$/],
  ] as const)
    it(`refuses to open ${what}`, async () => {
      await expect(source.open(path)).rejects.toMatchObject({
        code: "missing-file",
        message: expect.stringMatching(message),
        details: { path },
      });
    });

  it("opens a file that was missing when it is there later", async () => {
    await expect(source.open("late")).rejects.toMatchObject({ code: "missing-file" });
    await writeFile(join(folder, "late"), BYTES);
    expect((await source.open("late")).size).toBe(1000);
  });

  it("rejects a read with the reason of its signal, before and during it", async () => {
    const reason = new Error("enough");
    const file = await source.open("part/weights");
    await expect(file.read(0, 10, AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const reading = file.read(0, 10, abort.signal);
    abort.abort(reason);
    await expect(reading).rejects.toBe(reason);
    expect(await file.read(0, 10)).toEqual(BYTES.slice(0, 10));
  });

  it("closes all files, also when one could not be opened, and opens them again", async () => {
    const other = new FolderSource(folder);
    const file = await other.open("part/weights");
    const missing = other.open("nowhere");
    const closing = other.close();
    await expect(missing).rejects.toMatchObject({ code: "missing-file" });
    await closing;
    await expect(file.read(0, 1)).rejects.toMatchObject({ code: "EBADF" }); // its handle is closed
    expect(await (await other.open("part/weights")).read(0, 2)).toEqual(BYTES.slice(0, 2));
    await other.close();
  });

  it("lists all files by their paths, folders not", async () => {
    await mkdir(join(folder, "empty folder"));
    const paths = await source.list();
    expect(paths).toEqual([...paths].toSorted());
    expect(paths).toContain("part/weights");
    expect(paths).toContain("empty");
    expect(paths).not.toContain("empty folder");
    await expect(new FolderSource(join(folder, "nowhere")).list()).rejects.toMatchObject({ code: "missing-file" });
  });

  it("takes files of several places under the paths that they are given, and nothing else", async () => {
    const files = new FolderSource({ "transformer/a.gguf": join(folder, "part/weights"), b: join(folder, "gone") });
    expect(await files.list()).toEqual(["b", "transformer/a.gguf"]);
    expect(await files.exists("transformer/a.gguf")).toBe(true);
    expect(await files.exists("b")).toBe(false);
    expect(await files.exists("part/weights")).toBe(false);
    expect(await files.exists("toString")).toBe(false);
    expect(await (await files.open("transformer/a.gguf")).read(0, 4)).toEqual(BYTES.slice(0, 4));
    await expect(files.open("b")).rejects.toMatchObject({ code: "missing-file", details: { path: "b" } });
    await expect(files.open("part/weights")).rejects.toMatchObject({
      code: "missing-file",
      message: "part/weights is not in the listed files.",
    });
    await files.close();
  });
});
