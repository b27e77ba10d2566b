import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { Observable } from "./observable.ts";
import type { Picture } from "./picture.ts";

interface Database extends DBSchema {
  pictures: { key: string; value: Picture; indexes: { created: number } };
}

const NAME = "kleinbild-gallery";

/** The pictures made so far, newest first, kept in IndexedDB. Where they cannot be kept they last as long as the page. */
export class Gallery extends Observable {
  readonly #onProblem: (problem: Error) => void;
  #database: Promise<IDBPDatabase<Database> | undefined> | undefined;
  #pictures: readonly Picture[] = [];
  #loaded = false;

  /** @param onProblem  is told that something could not be kept */
  constructor(onProblem: (problem: Error) => void) {
    super();
    this.#onProblem = onProblem;
  }

  get pictures(): readonly Picture[] {
    return this.#pictures;
  }

  /** Whether what was kept has been read. */
  get loaded(): boolean {
    return this.#loaded;
  }

  async load(): Promise<void> {
    const kept = await this.#read();
    const known = new Set(this.#pictures.map(({ id }) => id));
    this.#loaded = true;
    this.#change([...this.#pictures, ...kept.filter(({ id }) => !known.has(id)).toReversed()]);
  }

  async add(picture: Picture): Promise<void> {
    this.#change([picture, ...this.#pictures]);
    await this.#write(picture);
  }

  /** @returns puts it back where it was; undefined when it is there still, which was told then */
  async remove(id: string): Promise<(() => Promise<void>) | undefined> {
    const removed = this.#pictures.find((picture) => picture.id === id);
    if (!removed) return undefined;
    this.#change(this.#pictures.filter((picture) => picture !== removed));
    try {
      await (await this.#open())?.delete("pictures", id);
    } catch (error) {
      this.#putBack(removed);
      this.#onProblem(new Error("The browser could not delete the picture: try again.", { cause: error }));
      return undefined;
    }
    return async () => {
      this.#putBack(removed);
      await this.#write(removed);
    };
  }

  async #read(): Promise<readonly Picture[]> {
    try {
      return (await (await this.#open())?.getAllFromIndex("pictures", "created")) ?? [];
    } catch (error) {
      this.#onProblem(new Error("The pictures kept in this browser could not be read.", { cause: error }));
      return [];
    }
  }

  #putBack(picture: Picture): void {
    this.#change([...this.#pictures, picture].toSorted((a, b) => b.created - a.created));
  }

  async #write(picture: Picture): Promise<void> {
    try {
      await (await this.#open())?.put("pictures", picture);
    } catch (error) {
      const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
      const reason = isFull
        ? "There is no room left in this browser's storage for this page"
        : "The browser could not keep the picture";
      this.#onProblem(
        new Error(`${reason}. The picture is here until the page is closed: download it.`, { cause: error }),
      );
    }
  }

  /** Undefined where the browser has no database for this page, as in some private windows. */
  #open(): Promise<IDBPDatabase<Database> | undefined> {
    this.#database ??= openDatabase().catch((error: unknown) => {
      this.#onProblem(
        new Error("This browser keeps no pictures for this page: download those you want.", { cause: error }),
      );
      return undefined;
    });
    return this.#database;
  }

  #change(pictures: readonly Picture[]): void {
    this.#pictures = pictures;
    this.changed();
  }
}

/** Rejects also where there is no IndexedDB at all, or a frame may not use it: then opening throws at once. */
async function openDatabase(): Promise<IDBPDatabase<Database>> {
  return openDB<Database>(NAME, 1, {
    upgrade: (database) => {
      database.createObjectStore("pictures", { keyPath: "id" }).createIndex("created", "created");
    },
  });
}
