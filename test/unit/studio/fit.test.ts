import { describe, expect, it } from "vitest";
import { fitPicture } from "../../../demo/make/fit.ts";

const square = (side: number) => ({ width: side, height: side });

describe("the size of a picture on the stage", () => {
  for (const [room, shown] of [
    [255, 128],
    [256, 256],
    [383, 256],
    [384, 384],
  ] as const)
    it(`is a whole multiple: 128 pixels in ${room}`, () => {
      expect(fitPicture(square(128), square(room), 1)).toEqual({ ...square(shown), pixelated: true });
    });

  it("counts the screen's pixels, not those of CSS", () => {
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
    expect(fitPicture({ width: 64, height: 128 }, { width: 600, height: 300 }, 1)).toMatchObject({
      width: 128,
      height: 256,
    });
  });
});
