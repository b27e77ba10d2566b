import { describe, expect, it } from "vitest";
import { fitPicture } from "../../../demo/make/fit.ts";

const square = (side: number) => ({ width: side, height: side });

describe("the size of a picture on the stage", () => {
  for (const [room, shown, pixelated] of [
    [256, 256, true],
    [341, 256, true], // three quarters and a little more
    [342, 342, false],
    [383, 383, false],
    [384, 384, true],
    [127, 127, false],
  ] as const)
    it(`is ${shown} in a room of ${room}, for 128 pixels`, () => {
      expect(fitPicture(square(128), square(room), 1)).toEqual({ ...square(shown), pixelated });
    });

  it("counts the pixels of the screen, not CSS pixels", () => {
    expect(fitPicture(square(128), square(200), 2)).toEqual({ ...square(192), pixelated: true });
  });

  it("shrinks smoothly to the room", () => {
    expect(fitPicture({ width: 1024, height: 512 }, square(512), 1)).toEqual({
      width: 512,
      height: 256,
      pixelated: false,
    });
  });

  it("heeds the narrower side", () => {
    expect(fitPicture({ width: 64, height: 128 }, { width: 600, height: 256 }, 1)).toMatchObject({
      width: 128,
      height: 256,
    });
  });
});
