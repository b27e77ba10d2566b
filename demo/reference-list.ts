import { create, find } from "./dom.ts";

const MAX_REFERENCES = 4;

interface Reference {
  readonly file: Blob;
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Address of the thumbnail. */
  readonly url: string;
}

/** The pictures that a request refers to as image 1 to image 4. */
export class ReferenceList {
  readonly #list = find("reference-list", HTMLOListElement);
  readonly #add = find("reference-add", HTMLButtonElement);
  readonly #onChange: (count: number) => void;
  readonly #onProblem: (problem: string) => void;
  #references: readonly Reference[] = [];

  constructor(onChange: (count: number) => void, onProblem: (problem: string) => void) {
    this.#onChange = onChange;
    this.#onProblem = onProblem;
    const picker = find("reference-files", HTMLInputElement);
    this.#add.addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      const files = [...(picker.files ?? [])];
      picker.value = ""; // so that the same file can be chosen again
      void this.add(files);
    });
    this.#change([]);
  }

  get files(): readonly Blob[] {
    return this.#references.map(({ file }) => file);
  }

  async add(files: readonly Blob[]): Promise<void> {
    const problems: string[] = [];
    let leftOut = 0;
    for (const file of files) {
      const name = file instanceof File ? file.name : "result";
      const size = await measure(file);
      if (!size) problems.push(`${name} is no picture that this browser can read.`);
      else if (this.#references.length >= MAX_REFERENCES) leftOut++;
      else this.#change([...this.#references, { file, name, ...size, url: URL.createObjectURL(file) }]);
    }
    if (leftOut > 0)
      problems.push(
        `There is room for ${MAX_REFERENCES} references; ${leftOut} more ${leftOut === 1 ? "was" : "were"} left out.`,
      );
    this.#onProblem(problems.join(" "));
  }

  #change(references: readonly Reference[]): void {
    this.#references = references;
    this.#list.replaceChildren(...references.map((reference, index) => this.#item(reference, index)));
    this.#list.hidden = references.length === 0;
    this.#add.disabled = references.length >= MAX_REFERENCES;
    this.#onChange(references.length);
  }

  #item({ url, name, width, height }: Reference, index: number): HTMLLIElement {
    const title = `image ${index + 1}`;
    const left = this.#button("←", `Move ${title} left`, index > 0, () => this.#move(index, -1));
    const remove = this.#button("×", `Remove ${title}`, true, () => this.#remove(index));
    const right = this.#button("→", `Move ${title} right`, index < this.#references.length - 1, () =>
      this.#move(index, 1),
    );
    return create(
      "li",
      {},
      create("img", { src: url, alt: name, title: name }),
      create("span", { className: "title" }, title),
      create("span", { className: "hint" }, `${width} × ${height}`),
      create("div", { className: "row" }, left, remove, right),
    );
  }

  #button(text: string, label: string, enabled: boolean, onClick: () => void): HTMLButtonElement {
    const button = create("button", { type: "button", ariaLabel: label, title: label, disabled: !enabled }, text);
    button.addEventListener("click", onClick);
    return button;
  }

  #move(index: number, by: -1 | 1): void {
    const references = [...this.#references];
    const [moved] = references.splice(index, 1);
    if (!moved) return;
    references.splice(index + by, 0, moved);
    this.#change(references);
    // stay on the button, or on its neighbour at the end of the list
    const [left, , right] = this.#buttons(index + by);
    const [first, second] = by < 0 ? [left, right] : [right, left];
    (first?.disabled ? second : first)?.focus();
  }

  #remove(index: number): void {
    const removed = this.#references[index];
    if (!removed) return;
    this.#change(this.#references.toSpliced(index, 1));
    URL.revokeObjectURL(removed.url);
    this.#onProblem("");
    const [, next] = this.#buttons(Math.min(index, this.#references.length - 1));
    (next ?? this.#add).focus();
  }

  #buttons(index: number): readonly HTMLButtonElement[] {
    return [...(this.#list.children[index]?.querySelectorAll("button") ?? [])];
  }
}

/** Size of a picture in pixels; undefined when it is none. */
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
