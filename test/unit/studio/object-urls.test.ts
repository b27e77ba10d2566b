import { afterEach, describe, expect, it, vi } from "vitest";
import { ObjectUrls } from "../../../demo/make/object-urls.ts";

afterEach(() => vi.restoreAllMocks());

describe("addresses of files on the page", () => {
  it("are made once for each file", () => {
    const urls = new ObjectUrls();
    const [file, other] = [new Blob(["a"]), new Blob(["a"])];
    expect(urls.of(file)).toBe(urls.of(file));
    expect(urls.of(other)).not.toBe(urls.of(file));
    urls.retain([]);
  });

  it("are given back when their file goes, and only then", () => {
    const revoke = vi.spyOn(URL, "revokeObjectURL");
    const urls = new ObjectUrls();
    const [stays, goes] = [new Blob(["a"]), new Blob(["b"])];
    const [stayingUrl, goneUrl] = [urls.of(stays), urls.of(goes)];
    urls.retain([stays]);
    expect(revoke.mock.calls).toEqual([[goneUrl]]);
    expect(urls.of(stays)).toBe(stayingUrl);
    expect(urls.of(goes)).not.toBe(goneUrl);
    urls.retain([]);
  });
});
