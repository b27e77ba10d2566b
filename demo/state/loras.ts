import { Observable } from "./observable.ts";

/** A low-rank adapter that the next pictures are made with. */
export interface Lora {
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
  /** −4 … 4. */
  readonly weight: number;
}

/** By its name; whether it is one shows when it is applied. */
export function isLoraFile({ name }: File): boolean {
  return /\.safetensors$/i.test(name);
}

export class Loras extends Observable {
  #list: readonly Lora[] = [];
  #last = 0;

  get list(): readonly Lora[] {
    return this.#list;
  }

  add(files: readonly File[]): void {
    const added = files.map((file) => ({ id: ++this.#last, name: file.name, file, weight: 1 }));
    this.#change([...this.#list, ...added]);
  }

  setWeight(id: number, weight: number): void {
    this.#change(this.#list.map((lora) => (lora.id === id ? { ...lora, weight } : lora)));
  }

  remove(id: number): void {
    this.#change(this.#list.filter((lora) => lora.id !== id));
  }

  #change(list: readonly Lora[]): void {
    this.#list = list;
    this.changed();
  }
}
