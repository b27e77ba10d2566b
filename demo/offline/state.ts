import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { Check, CloudDownload, CloudOff } from "lucide";
import { observe } from "../state/observable.ts";
import { base } from "../style/base.ts";
import { icon } from "../style/icon.ts";
import type { Offline } from "./offline.ts";

/** Says whether the page works without a network. */
export class KleinbildOffline extends LitElement {
  static override properties = { offline: { attribute: false } };
  /** Set once, before the component is on the page. */
  declare offline: Offline;

  static override styles = [
    base,
    css`
      :host {
        display: inline-flex;
      }

      span {
        display: inline-flex;
        gap: 0.3rem;
        align-items: center;
      }
    `,
  ];

  constructor() {
    super();
    observe(this, () => [this.offline]);
  }

  protected override render(): TemplateResult {
    return html`<span role="status">${this.#state()}</span>`;
  }

  #state(): TemplateResult | typeof nothing {
    const { state, reason } = this.offline;
    switch (state) {
      case "unsupported":
        return nothing;
      case "installing":
        return html`${icon(CloudDownload, 14)} Being kept for use offline`;
      case "ready":
      case "update-waiting":
        return html`${icon(Check, 14)} Works offline`;
      case "failed":
        return html`${icon(CloudOff, 14)} Not available offline: ${reason}`;
      default:
        return state satisfies never;
    }
  }
}

customElements.define("kleinbild-offline", KleinbildOffline);
