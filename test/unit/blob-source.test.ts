import { describe, expect, it } from "vitest";
import { BlobSource, blobsOf } from "../../runtime/weights/sources/blob-source.ts";

const picked = (path: string, text: string): File =>
  Object.assign(new File([text], path.split("/").at(-1)!), { webkitRelativePath: path.includes("/") ? path : "" });

describe("BlobSource", () => {
  const source = new BlobSource({ "a/b": new Blob(["hello"]) });

  it("reads picked files at any place", async () => {
    expect(await source.list()).toEqual(["a/b"]);
    expect(await source.exists("a/b")).toBe(true);
    expect(await source.exists("c")).toBe(false);
    const file = await source.open("a/b");
    expect(file.size).toBe(5);
    expect(new TextDecoder().decode(await file.read(1, 3))).toBe("ell");
    await expect(file.read(3, 3)).rejects.toMatchObject({ code: "invalid-model" });
    await expect(source.open("c")).rejects.toMatchObject({ code: "missing-file", details: { path: "c" } });
  });

  it("says so when a file cannot be read any more", async () => {
    const gone = new Blob(["hello"]);
    gone.slice = () =>
      ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) }) as unknown as Blob;
    const file = await new BlobSource({ a: gone }).open("a");
    await expect(file.read(0, 1)).rejects.toMatchObject({
      code: "missing-file",
      message: expect.stringMatching(/changed, moved or deleted/),
    });
  });
});

describe("blobsOf", () => {
  it("takes single files by name, and the files of a folder by their path in it", () => {
    expect(Object.keys(blobsOf([picked("a.gguf", ""), picked("b.safetensors", "")]))).toEqual([
      "a.gguf",
      "b.safetensors",
    ]);
    expect(Object.keys(blobsOf([picked("klein/model_index.json", ""), picked("klein/vae/config.json", "")]))).toEqual([
      "model_index.json",
      "vae/config.json",
    ]);
    expect(Object.keys(blobsOf([]))).toEqual([]);
  });
});
