import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { References } from "../../../demo/state/references.ts";

const NO_PICTURE = "no picture";

/** As the browser reads it: when the test says so. */
let measured: (() => void)[];

beforeEach(() => {
  measured = [];
  vi.stubGlobal("createImageBitmap", async (file: Blob) => {
    await new Promise<void>((resolve) => measured.push(resolve));
    if ((await file.text()) === NO_PICTURE) throw new Error("not decoded");
    return { width: 16, height: 32, close: () => {} };
  });
});
afterEach(() => void vi.unstubAllGlobals());

const picture = (name: string, content = name): File => new File([content], name);
const names = ({ list }: References): readonly string[] => list.map(({ name }) => name);

/** Has files be read, one after the other, until the work is done. */
async function whileReading<Result>(work: Promise<Result>): Promise<Result> {
  let done = false;
  void work.then(() => (done = true));
  while (!done) {
    measured.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work;
}

describe("references", () => {
  it("are taken in the order in which they came, whatever is read first", async () => {
    const references = new References();
    const first = references.add([picture("a"), picture("b")]);
    const second = references.add([picture("c")]);
    await whileReading(Promise.all([first, second]));
    expect(names(references)).toEqual(["a", "b", "c"]);
    expect(references.list[0]).toMatchObject({ width: 16, height: 32 });
  });

  it("are four at most, also when they come from two sides at once", async () => {
    const references = new References();
    const first = references.add(["a", "b", "c"].map((name) => picture(name)));
    const second = references.add(["d", "e"].map((name) => picture(name)));
    const [, problems] = await whileReading(Promise.all([first, second]));
    expect(names(references)).toEqual(["a", "b", "c", "d"]);
    expect(problems).toEqual(["There are up to 4 references; e was left out."]);
  });

  it("are the same by their bytes, not by their names", async () => {
    const references = new References();
    await whileReading(references.add([picture("a", "x"), picture("b", "x"), picture("c", "y")]));
    const [a, b, c] = references.list.map(({ id }) => id);
    expect(a).toBe(b);
    expect(a).not.toBe(c);
  });

  it("names what is no picture, and takes the rest", async () => {
    const references = new References();
    const problems = await whileReading(references.add([picture("notes.txt", NO_PICTURE), picture("b")]));
    expect(problems).toEqual(["notes.txt is not a picture that this browser can read."]);
    expect(names(references)).toEqual(["b"]);
  });

  it("are replaced by the references of the last requested picture, in one change", async () => {
    const references = new References();
    await whileReading(references.add([picture("a")]));
    const seen: (readonly string[])[] = [];
    references.addEventListener("change", () => seen.push(names(references)));
    const first = references.replaceAll([picture("b"), picture("c")]);
    const second = references.replaceAll([picture("d")]);
    await whileReading(Promise.all([first, second]));
    expect(seen).toEqual([["b", "c"], ["d"]]);
  });

  it("keep within the list when they are moved, and go when they are removed", async () => {
    const references = new References();
    await whileReading(references.add([picture("a"), picture("b")]));
    references.move(0, 2);
    references.move(0, -1);
    expect(names(references)).toEqual(["a", "b"]);
    references.move(1, 0);
    references.remove(1);
    references.remove(1);
    expect(names(references)).toEqual(["b"]);
  });
});
