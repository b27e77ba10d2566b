import { describe, expect, it } from "vitest";
import { fileName } from "../../../demo/make/file-name.ts";

describe("the file name of a picture", () => {
  it("has the prompt's words and the seed", () => {
    expect(fileName({ prompt: "A fox, on a teal background!", seed: "7" })).toBe("a-fox-on-a-teal-background-7.png");
  });

  it("has nothing that a file system reads as a path", () => {
    expect(fileName({ prompt: "../../etc/passwd\\c:\u0000nul", seed: "7" })).toBe("etc-passwd-c-nul-7.png");
  });

  it("keeps the letters of all scripts", () => {
    expect(fileName({ prompt: "ein Fuchs übt 狐", seed: "7" })).toBe("ein-fuchs-übt-狐-7.png");
  });

  it("is there without a prompt", () => {
    expect(fileName({ prompt: " … ", seed: "7" })).toBe("picture-7.png");
  });

  it("cuts a long prompt between characters and not behind a hyphen", () => {
    expect(fileName({ prompt: "𝒶".repeat(80), seed: "7" })).toBe(`${"𝒶".repeat(60)}-7.png`);
    expect(fileName({ prompt: `${"a".repeat(59)} b`, seed: "7" })).toBe(`${"a".repeat(59)}-7.png`);
  });
});
