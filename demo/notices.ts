import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { X } from "lucide";
import type { Notice } from "./state/notices.ts";
import type { Observable } from "./state/observable.ts";
import { StudioElement } from "./state/studio-element.ts";
import type { Studio } from "./state/studio.ts";
import { base } from "./style/base.ts";
import { icon } from "./style/icon.ts";

/** Messages at the lower edge, spoken when they come. */
class KleinbildNotices extends StudioElement {
  /** Had the focus last, outside of here. */
  #before: HTMLElement | undefined;
  #hadFocus = false;
  #root: Node | undefined;

  static override styles = [
    base,
    css`
      :host {
        position: fixed;
        inset: auto 0 0;
        z-index: 10;
        pointer-events: none;
      }

      .list {
        display: grid;
        gap: 0.5rem;
        justify-items: center;
        padding-inline: var(--gap);
      }

      .list > :last-child {
        margin-bottom: var(--gap);
      }

      .item {
        display: flex;
        gap: 0.75rem;
        align-items: center;
        max-width: 40rem;
        padding: 0.4rem 0.4rem 0.4rem 1rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
        box-shadow: 0 0.25rem 1.25rem rgb(0 0 0 / 20%);
        font-size: 0.9375rem;
        overflow-wrap: anywhere;
        pointer-events: auto;
      }

      .of-error {
        border-color: var(--bad);
      }

      button.text {
        flex: none;
        border-color: transparent;
        color: var(--accent);
        font-weight: 600;
      }
    `,
  ];

  protected override observed({ notices }: Studio): readonly Observable[] {
    return [notices];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#root = this.getRootNode(); // a move of the focus within it is not told further out
    this.#root.addEventListener("focusout", this.#remember);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#root?.removeEventListener("focusout", this.#remember);
  }

  protected override willUpdate(): void {
    this.#hadFocus = Boolean(this.shadowRoot?.activeElement);
  }

  /** From a notice that is gone, the focus goes to another one, or back to where it came from. */
  protected override updated(): void {
    if (!this.#hadFocus || this.shadowRoot?.activeElement) return;
    (this.renderRoot.querySelector("button") ?? this.#before)?.focus();
  }

  protected override render(): TemplateResult {
    const { list } = this.studio.notices;
    const items = (kind: Notice["kind"]): unknown =>
      repeat(
        list.filter((notice) => notice.kind === kind),
        ({ id }) => id,
        (notice) => this.#item(notice),
      );
    return html`<div class="list" role="alert">${items("error")}</div>
      <div class="list" role="status">${items("info")}</div>`;
  }

  #item({ id, text, kind, action }: Notice): TemplateResult {
    const { notices } = this.studio;
    return html`<div class="item of-${kind}">
      <span>${text}</span>
      ${
        action === undefined
          ? nothing
          : html`<button
              class="text"
              type="button"
              @click=${() => {
                action.run();
                notices.dismiss(id);
              }}
            >
              ${action.label}
            </button>`
      }
      <button class="icon quiet" type="button" aria-label="Dismiss" @click=${() => notices.dismiss(id)}>
        ${icon(X)}
      </button>
    </div>`;
  }

  readonly #remember = (event: Event): void => {
    const path = event.composedPath();
    if (!path.includes(this)) this.#before = path[0] as HTMLElement;
  };
}

customElements.define("kleinbild-notices", KleinbildNotices);
