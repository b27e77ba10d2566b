import { describe, expect, it } from "vitest";
import { modelId } from "../../runtime/models/model-id.ts";

describe("modelId", () => {
  it.each([
    ["https://example.org/FLUX.2-klein-4B/", /^flux\.2-klein-4b-[\da-f]{12}$/],
    ["https://example.org/klein?token=secret", /^klein-[\da-f]{12}$/],
    ["C:\\models\\Klein 9B", /^klein-9b-[\da-f]{12}$/],
    ["https://example.org/", /^example\.org-[\da-f]{12}$/],
    ["/", /^model-[\da-f]{12}$/],
    ["...", /^model-[\da-f]{12}$/],
    [`/models/${"x".repeat(300)}`, /^x{40}-[\da-f]{12}$/],
  ])("of %s is readable and a safe file name", (key, expected) => expect(modelId(key)).toMatch(expected));

  it("is the same for the same place, and another for another", () => {
    expect(modelId("/models/klein")).toBe(modelId("/models/klein"));
    expect(modelId("/models/klein")).not.toBe(modelId("/other/klein"));
  });
});
