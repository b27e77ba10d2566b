import { css, html, LitElement, type TemplateResult } from "lit";
import { base } from "./style/base.ts";

/** In place of the studio where there is no WebGPU: why, and what to do. */
class KleinbildUnsupported extends LitElement {
  static override properties = { reason: {} };
  declare reason: string;

  static override styles = [
    base,
    css`
      section {
        display: grid;
        gap: 0.9rem;
        max-width: 46rem;
      }

      ul {
        display: grid;
        gap: 0.5rem;
        padding-left: 1.2rem;
        list-style: disc;
      }

      code {
        font-family: var(--mono);
        font-size: 0.875em;
        overflow-wrap: anywhere;
      }
    `,
  ];

  protected override render(): TemplateResult {
    return html`<section class="card" aria-labelledby="title">
      <h2 id="title">Pictures cannot be made in this browser yet</h2>
      <p role="alert">${this.reason}</p>
      <p>Kleinbild computes on this device's GPU, through WebGPU. What helps:</p>
      <ul>
        <li>
          <b>Chrome or Edge</b> 113 or later on Windows, macOS and ChromeOS, 121 or later on Android. On Linux, turn on
          <code>chrome://flags/#enable-unsafe-webgpu</code> and <code>chrome://flags/#enable-vulkan</code>.
        </li>
        <li>
          <b>Firefox</b> 141 or later on Windows, 145 or later on macOS. Elsewhere, set
          <code>dom.webgpu.enabled</code> to true in <code>about:config</code>.
        </li>
        <li><b>Safari</b> 26 or later, on macOS, iOS and iPadOS.</li>
        <li>
          If your browser is one of these: turn on hardware acceleration in its settings, update the graphics driver,
          and look at <code>chrome://gpu</code> or <code>about:support</code>, which say why WebGPU is off.
        </li>
        <li>WebGPU is there only for pages that come by https or from localhost.</li>
      </ul>
      <p>Pictures of the gallery stay reachable below.</p>
    </section>`;
  }
}

customElements.define("kleinbild-unsupported", KleinbildUnsupported);
