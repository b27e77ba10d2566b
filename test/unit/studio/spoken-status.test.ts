import { describe, expect, it } from "vitest";
import { SpokenStatus } from "../../../demo/make/spoken-status.ts";

describe("what the live region says", () => {
  it("is the phase, not every number", () => {
    const spoken = new SpokenStatus();
    spoken.progress("Step 1 of 4", 0);
    spoken.progress("Step 2 of 4", 9999);
    expect(spoken.text).toBe("Step 1 of 4");
    spoken.progress("Decoding the picture", 9999);
    expect(spoken.text).toBe("Decoding the picture");
  });

  it("repeats a phase that lasts, with its numbers, after ten seconds", () => {
    const spoken = new SpokenStatus();
    spoken.progress("Step 1 of 50", 0);
    spoken.progress("Step 9 of 50", 10_000);
    expect(spoken.text).toBe("Step 9 of 50");
  });

  it("leaves out phases that go by at once", () => {
    const spoken = new SpokenStatus();
    spoken.progress("Reading the prompt", 0);
    spoken.progress("Step 1 of 4", 1499);
    expect(spoken.text).toBe("Reading the prompt");
    spoken.progress("Step 2 of 4", 1500);
    expect(spoken.text).toBe("Step 2 of 4");
  });

  it("always announces the end", () => {
    const spoken = new SpokenStatus();
    spoken.progress("Reading the prompt", 0);
    spoken.end("The picture is ready.", 1);
    expect(spoken.text).toBe("The picture is ready.");
  });
});
