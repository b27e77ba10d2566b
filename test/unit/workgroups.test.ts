import { describe, expect, it } from "vitest";
import { accumulate } from "../../kernels/index.ts";
import { elementGrid, foldGrid } from "../../runtime/gpu/workgroups.ts";

describe("foldGrid", () => {
  const ROW = 65_535;

  it.each([0, 1, 64, ROW - 1, ROW])("leaves %d workgroups in one row", (count) => {
    expect(foldGrid(count)).toEqual([count, 1]);
  });

  it.each([ROW + 1, 2 * ROW - 1, 2 * ROW, 2 * ROW + 1, 10_000_019])(
    "folds %d into rows that hold them all",
    (count) => {
      const [x, y] = foldGrid(count);
      expect(y).toBe(Math.ceil(count / ROW));
      expect(x).toBeLessThanOrEqual(ROW);
      expect(x * y).toBeGreaterThanOrEqual(count);
      expect(x * y - count).toBeLessThan(y); // no row is spare
    },
  );
});

describe("elementGrid", () => {
  it.each([
    [0, 0],
    [1, 1],
    [accumulate.workgroupSize, 1],
    [accumulate.workgroupSize + 1, 2],
    [65_535 * accumulate.workgroupSize, 65_535],
  ])("has for %d elements %d workgroups in one row", (count, workgroups) => {
    expect(elementGrid(accumulate, count)).toEqual([workgroups, 1]);
  });

  it("folds into rows beyond them", () => {
    expect(elementGrid(accumulate, 65_535 * accumulate.workgroupSize + 1)).toEqual([32_768, 2]);
  });
});
