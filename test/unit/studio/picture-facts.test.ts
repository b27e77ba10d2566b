import { describe, expect, it } from "vitest";
import { pictureFacts } from "../../../demo/make/picture-facts.ts";
import type { Picture } from "../../../demo/state/picture.ts";
import { fakePicture } from "./picture.ts";

const facts = (picture: Picture): Readonly<Record<string, string>> => Object.fromEntries(pictureFacts(picture));

describe("the facts of a picture", () => {
  it("tell how it was made, how long that took and what it took", () => {
    expect(facts(fakePicture())).toMatchObject({
      Prompt: "a fox",
      Size: "128 × 128",
      Seed: "42",
      Steps: "4",
      Scheduler: "Default",
      Guidance: "off",
      Model: "klein-nano",
      Backend: "wgsl",
      Precision: "f32",
      Denoising: "400 ms",
      "In all": "500 ms",
      "GPU memory at most": "32 MiB",
    });
  });

  it("speak of references only where there are some", () => {
    expect(facts(fakePicture())).not.toHaveProperty("Reference mode");
    const { referenceCache } = fakePicture().report;
    const edited = fakePicture(
      { references: [{ name: "dog.png", file: new Blob() }] },
      {
        referenceMode: "exact",
        referenceCache: { ...referenceCache, hit: true, bytes: 2 ** 20 },
        timings: { references: 3, total: 500 },
      },
    );
    expect(facts(edited)).toMatchObject({
      References: "dog.png",
      "Reference mode": "exact",
      "Reference keys and values": "kept from an earlier run; 1 MiB kept now",
      "Reading the references": "3 ms",
    });
  });

  it("name LoRAs, guidance and skipped passes where they counted", () => {
    const picture = fakePicture({}, { loras: ["ink"], guidance: 4, passes: { total: 8, skipped: 3 } });
    expect(facts(picture)).toMatchObject({ LoRAs: "ink", Guidance: "4", "Passes skipped": "3 of 8" });
  });
});
