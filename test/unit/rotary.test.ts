import { describe, expect, it } from "vitest";
import {
  gridTokens,
  referencePositions,
  tokenRotaryTable,
  targetPositions,
  textPositions,
} from "../../runtime/transformer/rotary.ts";
import { packBits, rotaryTable as textRotaryTable } from "../../runtime/text/encoder.ts";
import { expectClose } from "../support/compare.ts";

/** The frequencies 2000^(−2k / 32) of one axis, from the specification of the model. */
const FREQUENCIES = [
  1, 0.62184998, 0.3866974, 0.24046777, 0.14953488, 0.09298826, 0.05782475, 0.03595832, 0.02236068, 0.01390499,
  0.00864682, 0.00537702, 0.0033437, 0.00207928, 0.001293, 0.00080405,
];
const AXES = [32, 32, 32, 32];
const THETA = 2000;
const identity = (pairs: number) => Array.from({ length: pairs }, () => [1, 0]).flat();

describe("positions", () => {
  it("of text count on the last axis", () =>
    expect(textPositions(3)).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 1],
      [0, 0, 0, 2],
    ]));

  it("of the target are rows and columns, row by row", () =>
    expect(targetPositions({ height: 2, width: 3 })).toEqual([
      [0, 0, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 2, 0],
      [0, 1, 0, 0],
      [0, 1, 1, 0],
      [0, 1, 2, 0],
    ]));

  it("of references are at times 10, 20, 30, …, each on a grid of its own", () => {
    const grids = [
      { height: 1, width: 2 },
      { height: 2, width: 1 },
      { height: 1, width: 1 },
    ];
    expect(referencePositions(grids)).toEqual([
      [10, 0, 0, 0],
      [10, 0, 1, 0],
      [20, 0, 0, 0],
      [20, 1, 0, 0],
      [30, 0, 0, 0],
    ]);
    expect(referencePositions([])).toEqual([]);
  });

  it("are as many as the grid has tokens", () => {
    const grid = { height: 3, width: 5 };
    expect(gridTokens(grid)).toBe(15);
    expect(targetPositions(grid)).toHaveLength(15);
  });
});

describe("rotaryTable", () => {
  it("holds cosine and sine of position times frequency, axis after axis", () => {
    const [time, row, column, text] = [10, 3, 7, 500];
    const expected = [time, row, column, text].flatMap((id) =>
      FREQUENCIES.flatMap((frequency) => [Math.cos(id * frequency), Math.sin(id * frequency)]),
    );
    const table = tokenRotaryTable([[time, row, column, text]], AXES, THETA);
    expect(table).toHaveLength(128);
    expectClose(table.subarray(0, 96), expected.slice(0, 96), { absolute: 2e-7 });
    expectClose(table.subarray(96), expected.slice(96), { absolute: 500 * 1e-8 }); // the frequencies have 8 digits
  });

  it("does not rotate axes at position 0: text rotates only the last axis, the target rotates the row and column axes", () => {
    const text = tokenRotaryTable([textPositions(6)[5]!], AXES, THETA);
    expect([...text.subarray(0, 96)]).toEqual(identity(48));
    expect([...text.subarray(96)]).not.toEqual(identity(16));
    const target = tokenRotaryTable([targetPositions({ height: 2, width: 2 })[3]!], AXES, THETA);
    expect([...target.subarray(0, 32)]).toEqual(identity(16));
    expect([...target.subarray(96)]).toEqual(identity(16));
    expect(target.subarray(32, 64)).toEqual(target.subarray(64, 96)); // row 1, column 1
  });

  it("puts positions one after the other, and takes axes of different sizes", () => {
    const positions = textPositions(3);
    const all = tokenRotaryTable(positions, [2, 4, 6, 8], 100);
    expect(all).toHaveLength(3 * 20);
    for (const [i, position] of positions.entries())
      expect(all.subarray(i * 20, (i + 1) * 20)).toEqual(tokenRotaryTable([position], [2, 4, 6, 8], 100));
    const angles = [0, 1, 2, 3].map((k) => 2 * 100 ** (-k / 4));
    expectClose(
      all.subarray(52),
      angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]),
      { absolute: 1e-7 },
    );
  });

  it("is computed in f64: far positions are as exact as near ones", () => {
    const position = 100_003;
    const [cosine, sine] = tokenRotaryTable([[0, 0, 0, position]], [0, 0, 0, 2], THETA);
    expect(cosine).toBe(Math.fround(Math.cos(position)));
    expect(sine).toBe(Math.fround(Math.sin(position)));
  });
});

describe("the text encoder's tables", () => {
  it("hold cosine and sine of position · theta^(−2j / headDim)", () => {
    const [positions, headDim, theta] = [5, 8, 1e6];
    const expected = [];
    for (let position = 0; position < positions; position++)
      for (const exponent of [0, 0.25, 0.5, 0.75]) {
        const angle = position / theta ** exponent;
        expected.push(Math.cos(angle), Math.sin(angle));
      }
    expectClose(textRotaryTable(positions, headDim, theta), expected, { absolute: 1e-7 });
  });

  for (const length of [1, 31, 32, 33, 64])
    it(`pack a mask of ${length} into words, lowest bit first`, () => {
      const mask = Array.from({ length }, (_, i) => (i % 3 === 0 ? 1 : 0));
      const words = packBits(mask);
      expect(words).toHaveLength(Math.ceil(length / 32));
      expect(mask.map((_, i) => (words[i >> 5]! >>> (i & 31)) & 1)).toEqual(mask);
    });
});
