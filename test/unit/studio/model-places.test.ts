import { describe, expect, it } from "vitest";
import { readPlaces } from "../../../demo/models/model-places.ts";

const BASE = "https://studio.example/app/";

describe("readPlaces", () => {
  it.each([
    ["https://example.org/klein-4B/", "https://example.org/klein-4B/", "klein-4B"],
    ["  ./models/klein-nano-base \n", "https://studio.example/app/models/klein-nano-base", "klein-nano-base"],
    ["/models/a%20b/", "https://studio.example/models/a%20b/", "a b"],
    [
      "https://huggingface.co/black-forest-labs/FLUX.2-klein-4B",
      "https://huggingface.co/black-forest-labs/FLUX.2-klein-4B/resolve/main/",
      "FLUX.2-klein-4B",
    ],
    ["huggingface.co/a/b/tree/v2/", "https://huggingface.co/a/b/resolve/v2/", "b"],
  ])("takes %j for a folder", (text, input, name) => expect(readPlaces(text, BASE)).toEqual({ input, name }));

  it("takes one file for a model with all its parts", () =>
    expect(readPlaces("https://huggingface.co/a/b/blob/main/klein.safetensors?download=true", BASE)).toEqual({
      input: { "klein.safetensors": "https://huggingface.co/a/b/resolve/main/klein.safetensors?download=true" },
      name: "klein",
    }));

  it("takes several files by their names, and by diffusers' folders where they are in one", () => {
    const text = `
      https://example.org/flux-2-klein-4b-Q4_K.gguf
      https://example.org/text_encoder/model.safetensors
      https://example.org/vae/model.safetensors

      tokenizer/tokenizer.json = https://example.org/qwen?file=3
    `;
    expect(readPlaces(text, BASE)).toEqual({
      input: {
        "flux-2-klein-4b-Q4_K.gguf": "https://example.org/flux-2-klein-4b-Q4_K.gguf",
        "text_encoder/model.safetensors": "https://example.org/text_encoder/model.safetensors",
        "vae/model.safetensors": "https://example.org/vae/model.safetensors",
        "tokenizer/tokenizer.json": "https://example.org/qwen?file=3",
      },
      name: "flux-2-klein-4b-Q4_K",
    });
  });

  it.each([
    ["", /Give the address/],
    [" \n ", /Give the address/],
    ["klein", /no address/],
    ["ftp://example.org/a.gguf", /no address/],
    ["https://", /no address/],
    ["file:///home/me/a.gguf", /Choose files/],
    ["C:\\models\\a.gguf", /Choose files/],
    ["https://example.org/a.gguf\nhttps://example.org/folder/", /stands alone/],
    ["https://example.org/a/m.gguf\nhttps://example.org/b/m.gguf", /path = address/],
    ["https://example.org/tokenizer.json", /safetensors or GGUF was expected/],
  ])("says what is wrong with %j", (text, expected) =>
    expect(readPlaces(text, BASE)).toEqual({ problem: expect.stringMatching(expected) }),
  );
});
