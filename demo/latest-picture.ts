import type { GeneratedImage } from "../runtime/index.ts";
import { find } from "./dom.ts";
import type { PictureBox } from "./picture-box.ts";

/** The last finished picture: what the box shows between runs, to download or to use as a reference. */
export class LatestPicture {
  readonly #box: PictureBox;
  readonly #actions = find("picture-actions", HTMLDivElement);
  readonly #download = find("download", HTMLAnchorElement);
  #image: GeneratedImage | undefined;
  #file: Blob | undefined;

  constructor(box: PictureBox, onReuse: (file: Blob) => void) {
    this.#box = box;
    find("reuse", HTMLButtonElement).addEventListener("click", () => {
      if (this.#file) onReuse(this.#file);
    });
  }

  async keep(image: GeneratedImage): Promise<void> {
    const file = await image.toBlob();
    URL.revokeObjectURL(this.#download.href);
    this.#download.href = URL.createObjectURL(file);
    this.#download.download = `${image.metadata.model}-${image.metadata.seed}.png`;
    this.#image = image;
    this.#file = file;
  }

  show(): void {
    this.#actions.hidden = !this.#image;
    if (this.#image) this.#box.showPicture(this.#image);
    else this.#box.clear();
  }

  /** Leaves the picture where it is until another one takes its place. */
  hideActions(): void {
    this.#actions.hidden = true;
  }
}
