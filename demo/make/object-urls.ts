/** One address for each file that is on the page, given back when the file goes. */
export class ObjectUrls {
  readonly #urls = new Map<Blob, string>();

  of(file: Blob): string {
    const known = this.#urls.get(file);
    if (known !== undefined) return known;
    const url = URL.createObjectURL(file);
    this.#urls.set(file, url);
    return url;
  }

  /** Gives back the addresses of all other files. */
  retain(files: Iterable<Blob>): void {
    const kept = new Set(files);
    for (const [file, url] of this.#urls) {
      if (kept.has(file)) continue;
      URL.revokeObjectURL(url);
      this.#urls.delete(file);
    }
  }
}
