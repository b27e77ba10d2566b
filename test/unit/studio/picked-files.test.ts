import { describe, expect, it } from "vitest";
import { describePicked, nameOfPicked } from "../../../demo/models/picked-files.ts";

const file = (name: string, bytes: number): File => new File([new Uint8Array(bytes)], name);

describe("picked files", () => {
  it("are described by number, size and the first names", () => {
    expect(describePicked([file("a.gguf", 2048)])).toEqual({ amount: "1 file, 2 KiB", names: "a.gguf" });
    const four = ["a", "b", "c", "d"].map((name) => file(name, 1));
    expect(describePicked(four)).toEqual({ amount: "4 files, 4 bytes", names: "a, b, c, d" });
    expect(describePicked([...four, file("e", 1)]).names).toBe("a, b, c and 2 more");
  });

  it("are called by the largest one, however they came", () => {
    expect(nameOfPicked([file("tokenizer.json", 5), file("klein-4b.Q4_K.gguf", 9)])).toBe("klein-4b.Q4_K");
    expect(nameOfPicked({ "vae/model.safetensors": file("model.safetensors", 5) })).toBe("model");
  });
});
