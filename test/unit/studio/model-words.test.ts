import { describe, expect, it } from "vitest";
import { adapterName, adapterSentences, whereSentence } from "../../../demo/models/adapter-words.ts";
import { failureText, withReadableBytes } from "../../../demo/models/words.ts";
import { type AdapterSummary, KleinbildError } from "../../../runtime/index.ts";

const GPU: AdapterSummary = {
  vendor: "nvidia",
  architecture: "ampere",
  device: "",
  description: "",
  software: false,
  f16: true,
  subgroups: true,
  timestamps: true,
  maxBindingBytes: 2 ** 31,
  maxBufferBytes: 2 ** 31,
};
const SWIFTSHADER = { ...GPU, vendor: "google", architecture: "swiftshader", software: true, f16: false };

describe("adapterName", () => {
  it.each([
    [GPU, "NVIDIA ampere"],
    [{ ...GPU, description: "NVIDIA GeForce RTX 3080" }, "NVIDIA GeForce RTX 3080"],
    [SWIFTSHADER, "SwiftShader"],
    [{ ...GPU, vendor: "", architecture: "" }, "a GPU that the browser does not name"],
  ])("%#", (adapter, expected) => expect(adapterName(adapter)).toBe(expected));
});

describe("whereSentence", () => {
  it("says on what, and in which precision", () => {
    expect(whereSentence({ supported: true, adapter: GPU })).toBe("Runs on NVIDIA ampere, in f16.");
    expect(whereSentence({ supported: true, adapter: { ...GPU, f16: false } })).toBe("Runs on NVIDIA ampere, in f32.");
    expect(whereSentence({ supported: true, adapter: GPU }, "f32")).toBe("Runs on NVIDIA ampere, in f32.");
  });

  it("says that the processor is slow, and why nothing runs", () => {
    const slow = "Runs on the processor (SwiftShader): works, but slowly.";
    expect(whereSentence({ supported: true, adapter: SWIFTSHADER })).toBe(slow);
    const reason = "This browser has no WebGPU.";
    expect(whereSentence({ supported: false, reason })).toBe(`Nothing runs here. ${reason}`);
    expect(whereSentence(undefined)).toBe("Looking at the GPU.");
  });
});

describe("adapterSentences", () => {
  it("say of a good GPU only that its memory is unknown", () => {
    expect(adapterSentences(GPU)).toEqual([expect.stringMatching(/^Browsers do not tell/)]);
  });

  it("name what is missing, with what follows from it", () => {
    const sentences = adapterSentences({ ...SWIFTSHADER, subgroups: false, maxBindingBytes: 2 ** 27 });
    expect(sentences).toEqual([
      expect.stringMatching(/the processor computes/),
      expect.stringMatching(/f32: .* twice the memory/),
      expect.stringMatching(/no subgroups/),
      expect.stringMatching(/at most 128 MiB at once/),
      expect.stringMatching(/this machine's memory/),
    ]);
  });
});

describe("withReadableBytes", () => {
  it("leaves sizes of pictures and small numbers alone", () => {
    const sentence = "The request needs 8589934592 bytes on the GPU, 1073741824 more than the budget; 512 x 512 fits.";
    expect(withReadableBytes(sentence)).toBe(
      "The request needs 8 GiB on the GPU, 1 GiB more than the budget; 512 x 512 fits.",
    );
    expect(withReadableBytes("It has 99999 bytes.")).toBe("It has 99999 bytes.");
  });
});

describe("failureText", () => {
  it("says what went wrong and what can be done", () => {
    const error = new KleinbildError("storage-full", "The store needs 8589934592 bytes; 0 are free.");
    expect(failureText(error)).toBe(
      "The store needs 8 GiB; 0 are free. Delete a stored model, or open this one without keeping it.",
    );
    expect(failureText(new KleinbildError("internal", "the bug."))).toBe("The bug.");
    expect(failureText(new Error("a.gguf is damaged."))).toBe("a.gguf is damaged.");
  });
});
