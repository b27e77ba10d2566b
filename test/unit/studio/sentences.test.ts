import { describe, expect, it } from "vitest";
import { isFieldError, nameOf, outcome, reuse } from "../../../demo/make/sentences.ts";
import { KleinbildError } from "../../../runtime/index.ts";
import { fakeJob, fakePicture } from "./picture.ts";

describe("what became of a job", () => {
  const pictures = [fakePicture(), fakePicture()];

  it("says how many pictures are ready", () => {
    expect(outcome(fakeJob({ status: "done", pictures: pictures.slice(1) }))).toBe("The picture is ready.");
    expect(outcome(fakeJob({ status: "done", pictures }))).toBe("2 pictures are ready.");
  });

  it("says that it was cancelled, and how much of it is ready", () => {
    expect(outcome(fakeJob({ status: "cancelled" }))).toBe("Cancelled.");
    expect(outcome(fakeJob({ status: "cancelled", pictures }))).toBe("Cancelled after 2 pictures.");
  });

  it("says why there is no picture", () => {
    const error = new KleinbildError("device-lost", "the GPU was lost.");
    expect(outcome(fakeJob({ status: "failed", error }))).toBe("No picture was made. The GPU was lost.");
    expect(outcome(fakeJob({ status: "failed", error, pictures: pictures.slice(1) }))).toBe(
      "It stopped after 1 picture. The GPU was lost.",
    );
  });
});

describe("an error of a field", () => {
  it("is an invalid request that names it", () => {
    expect(isFieldError(new KleinbildError("invalid-request", "…", { parameter: "steps" }))).toBe(true);
    expect(isFieldError(new KleinbildError("invalid-request", "…"))).toBe(false);
    expect(isFieldError(new KleinbildError("over-budget", "…", { parameter: "width" }))).toBe(false);
    expect(isFieldError(new Error("…"))).toBe(false);
  });
});

describe("the badge of reused references", () => {
  const { referenceCache } = fakePicture().report;
  const hit = { referenceMode: "exact", referenceCache: { ...referenceCache, hit: true } } as const;

  it("says how much time that saved, if known", () => {
    expect(reuse(fakePicture({ savedMs: 1234 }, hit))).toBe("Reference keys and values reused, 1.2 s saved");
    expect(reuse(fakePicture({ savedMs: 0 }, hit))).toBe("Reference keys and values reused");
    expect(reuse(fakePicture({}, hit))).toBe("Reference keys and values reused");
  });

  it("is not there without references or without reuse", () => {
    expect(reuse(fakePicture({}, { referenceCache: hit.referenceCache }))).toBeUndefined();
    expect(reuse(fakePicture({}, { referenceMode: "exact" }))).toBeUndefined();
  });
});

describe("the name of a picture", () => {
  it("is its prompt, or says that it has none", () => {
    expect(nameOf(" a fox ")).toBe("a fox");
    expect(nameOf("  ")).toBe("Picture without a prompt");
  });
});
