import { describe, expect, it } from "vitest";
import { CachedJsonSource } from "../../runtime/models/cached-json-source.ts";
import { MemorySource } from "../support/model-files.ts";

describe("RememberedSource", () => {
  it("reads JSON files once, and others each time", async () => {
    const files = new MemorySource({ "a.json": "{}", "b.safetensors": "weights" });
    const opened: string[] = [];
    const open = files.open.bind(files);
    files.open = (path) => {
      opened.push(path);
      return open(path);
    };
    const source = new CachedJsonSource(files);
    for (let i = 0; i < 2; i++)
      for (const path of ["a.json", "b.safetensors"]) {
        const file = await source.open(path);
        const bytes = await file.read(0, file.size);
        expect(new TextDecoder().decode(bytes)).toBe(path === "a.json" ? "{}" : "weights");
      }
    expect(opened).toEqual(["a.json", "b.safetensors", "b.safetensors"]);
    expect(await source.exists("a.json")).toBe(true);
    expect(await source.exists("c.json")).toBe(false);
    expect(await source.list()).toEqual(["a.json", "b.safetensors"]);
    await expect(source.open("c.json")).rejects.toMatchObject({ code: "missing-file" });
  });
});
