import { describe, expect, it } from "vitest";
import { LayeredSource } from "../../runtime/models/layered-source.ts";
import { MemorySource } from "../support/model-files.ts";

const text = async (source: LayeredSource, path: string): Promise<string> => {
  const file = await source.open(path);
  return new TextDecoder().decode(await file.read(0, file.size));
};

describe("LayeredSource", () => {
  const upper = new MemorySource({ both: "stored", own: "stored only" });
  const lower = new MemorySource({ both: "remote", other: "remote only" });
  const source = new LayeredSource(upper, lower);

  it("gives files of the upper source first, and others from the lower one", async () => {
    expect(await text(source, "both")).toBe("stored");
    expect(await text(source, "own")).toBe("stored only");
    expect(await text(source, "other")).toBe("remote only");
    expect(await source.exists("own")).toBe(true);
    expect(await source.exists("other")).toBe(true);
    expect(await source.exists("neither")).toBe(false);
    await expect(source.open("neither")).rejects.toMatchObject({ code: "missing-file" });
  });

  it("follows files that appear in the upper source", async () => {
    const growing = new MemorySource({});
    const layered = new LayeredSource(growing, lower);
    expect(await text(layered, "other")).toBe("remote only");
    growing.files.set("other", new TextEncoder().encode("now stored"));
    expect(await text(layered, "other")).toBe("now stored");
  });

  it("lists the files of both, unless one cannot tell", async () => {
    expect(await source.list()).toEqual(["both", "other", "own"]);
    const silent = Object.assign(new MemorySource({}), { list: async () => undefined });
    expect(await new LayeredSource(upper, silent).list()).toBeUndefined();
  });
});
