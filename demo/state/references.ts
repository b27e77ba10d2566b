import { Observable } from "./observable.ts";

/** A picture to edit or combine. */
export interface Reference {
  /** Of its bytes: the same picture has the same one. */
  readonly id: string;
  readonly name: string;
  readonly file: Blob;
  /** Object URL, for as long as the reference is in the list. */
  readonly url: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export const MAX_REFERENCES = 4;

/** Up to four pictures in order: prompts call them "image 1" to "image 4". */
export class References extends Observable {
  #list: readonly Reference[] = [];

  get list(): readonly Reference[] {
    return this.#list;
  }

  /**
   * Puts pictures at the end.
   *
   * @returns sentences about files that were not taken
   */
  async add(files: readonly Blob[]): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const file of files) {
      const name = file instanceof File ? file.name : "picture";
      if (this.#list.length >= MAX_REFERENCES) {
        problems.push(`There are up to ${MAX_REFERENCES} references; ${name} was left out.`);
        continue;
      }
      const size = await measure(file);
      if (!size) problems.push(`${name} is not a picture that this browser can read.`);
      else this.#change([...this.#list, { id: await hash(file), name, file, url: URL.createObjectURL(file), ...size }]);
    }
    return problems;
  }

  /** @param to  place in the list afterwards */
  move(from: number, to: number): void {
    const list = [...this.#list];
    const [moved] = list.splice(from, 1);
    if (!moved || to < 0 || to > list.length) return;
    list.splice(to, 0, moved);
    this.#change(list);
  }

  remove(index: number): void {
    const removed = this.#list[index];
    if (!removed) return;
    this.#change(this.#list.toSpliced(index, 1));
    URL.revokeObjectURL(removed.url);
  }

  async replaceAll(files: readonly Blob[]): Promise<readonly string[]> {
    for (const { url } of this.#list) URL.revokeObjectURL(url);
    this.#change([]);
    return this.add(files);
  }

  #change(list: readonly Reference[]): void {
    this.#list = list;
    this.changed();
  }
}

/** Pixels of a picture; undefined when it is none. */
async function measure(file: Blob): Promise<{ width: number; height: number } | undefined> {
  try {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height };
  } catch {
    return undefined; // the caller says so, by the file's name
  }
}

async function hash(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
