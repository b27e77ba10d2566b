import { Observable } from "./observable.ts";

/** A picture to edit or combine. */
export interface Reference {
  /** Of its bytes: the same picture has the same one. */
  readonly id: string;
  readonly name: string;
  readonly file: Blob;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export const MAX_REFERENCES = 4;

/** Up to four pictures in order: prompts call them "image 1" to "image 4". */
export class References extends Observable {
  #list: readonly Reference[] = [];
  /** The last thing under way: files are taken in the order in which they came. */
  #last: Promise<unknown> = Promise.resolve();

  get list(): readonly Reference[] {
    return this.#list;
  }

  /**
   * Puts pictures at the end.
   *
   * @returns sentences about files that were not taken
   */
  add(files: readonly Blob[]): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const problems: string[] = [];
      for (const file of files) {
        const name = nameOf(file);
        if (this.#list.length >= MAX_REFERENCES) {
          problems.push(`There are up to ${MAX_REFERENCES} references; ${name} was left out.`);
          continue;
        }
        const reference = await read(file);
        if (reference) this.#change([...this.#list, reference]);
        else problems.push(`${name} is not a picture that this browser can read.`);
      }
      return problems;
    });
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
    if (this.#list[index]) this.#change(this.#list.toSpliced(index, 1));
  }

  /** Puts these pictures, up to four, in the place of all others at once. */
  replaceAll(files: readonly Blob[]): Promise<void> {
    return this.#inTurn(async () => {
      const references = await Promise.all(files.map(read));
      this.#change(references.filter((reference) => reference !== undefined));
    });
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {}); // whoever asked for it hears of it
    return done;
  }

  #change(list: readonly Reference[]): void {
    this.#list = list;
    this.changed();
  }
}

const nameOf = (file: Blob): string => (file instanceof File ? file.name : "picture");

async function read(file: Blob): Promise<Reference | undefined> {
  const size = await measure(file);
  return size && { id: await hash(file), name: nameOf(file), file, ...size };
}

/** Undefined when it is no picture. */
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
