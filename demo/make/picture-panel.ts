import { css, html, nothing, type TemplateResult } from "lit";
import { Bookmark, Copy, Download, ImagePlus, RotateCcw, Share2, Sprout, Trash2 } from "lucide";
import { factList } from "../facts.ts";
import type { Observable } from "../state/observable.ts";
import type { Picture } from "../state/picture.ts";
import { StudioElement } from "../state/studio-element.ts";
import type { Studio } from "../state/studio.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import { fileName } from "./file-name.ts";
import { keepFocus } from "./keep-focus.ts";
import {
  canCopy,
  canShare,
  copyPicture,
  reuseSeed,
  reuseSettings,
  sharePicture,
  useAsReference,
} from "./picture-commands.ts";
import { pictureFacts } from "./picture-facts.ts";

/** What can be done with the picture on the stage, and how it came about. */
class KleinbildPicturePanel extends StudioElement {
  static override properties = { ...StudioElement.properties, picture: { attribute: false }, url: {} };
  declare picture: Picture;
  /** Address of its file. */
  declare url: string;
  /** For all pictures, as long as the page lives. */
  static #detailsOpen = false;

  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: 0.75rem;
      }

      .warnings {
        display: grid;
        gap: 0.25rem;
        padding-left: 1.1rem;
        list-style: disc;
        color: var(--soft);
        font-size: 0.875rem;
        overflow-wrap: anywhere;
      }

      .facts {
        margin-top: 0.5rem;
      }
    `,
  ];

  constructor() {
    super();
    keepFocus(this, "a");
  }

  protected observed({ gallery }: Studio): readonly Observable[] {
    return [gallery];
  }

  protected override render(): TemplateResult {
    const { studio, picture } = this;
    const { warnings } = picture.report;
    return html`
      <div class="row" role="group" aria-label="Picture actions">
        <a class="button small" href=${this.url} download=${fileName(picture.metadata)}>${icon(Download)} Download</a>
        ${canCopy() ? action(Copy, "Copy", () => copyPicture(studio, picture)) : nothing}
        ${canShare(picture) ? action(Share2, "Share", () => sharePicture(studio, picture)) : nothing}
        ${action(ImagePlus, "Use as reference", () => useAsReference(studio, picture))}
        ${action(Sprout, "Reuse seed", () => reuseSeed(studio, picture))}
        ${action(RotateCcw, "Reuse settings", () => reuseSettings(studio, picture))}
        ${
          studio.gallery.pictures.includes(picture)
            ? action(Trash2, "Delete", () => studio.remove(picture))
            : action(Bookmark, "Keep", () => studio.keep(picture))
        }
      </div>
      ${
        warnings.length > 0
          ? html`<ul class="warnings" aria-label="Warnings">
              ${warnings.map((warning) => html`<li>${warning}</li>`)}
            </ul>`
          : nothing
      }
      <details
        ?open=${KleinbildPicturePanel.#detailsOpen}
        @toggle=${({ target }: Event) => (KleinbildPicturePanel.#detailsOpen = (target as HTMLDetailsElement).open)}
      >
        <summary>Details</summary>
        ${factList(pictureFacts(picture))}
      </details>
    `;
  }
}

function action(node: Parameters<typeof icon>[0], name: string, run: () => unknown): TemplateResult {
  return html`<button type="button" class="small" @click=${run}>${icon(node)} ${name}</button>`;
}

customElements.define("kleinbild-picture-panel", KleinbildPicturePanel);
