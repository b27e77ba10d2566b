import { describe, expect, it } from "vitest";
import { Gallery } from "../../../demo/state/gallery.ts";
import { fakePicture } from "./picture.ts";

describe("the gallery without IndexedDB", () => {
  it("says so once, and keeps the pictures as long as the page is open", async () => {
    const problems: string[] = [];
    const gallery = new Gallery(({ message }) => problems.push(message));
    await gallery.load();
    expect(gallery.loaded).toBe(true);
    const picture = fakePicture();
    await gallery.add(picture);
    expect(gallery.pictures).toEqual([picture]);
    await gallery.remove(picture.id);
    expect(gallery.pictures).toEqual([]);
    expect(problems).toEqual(["This browser keeps no pictures for this page: download those you want."]);
  });
});
