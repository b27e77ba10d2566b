import { css, html, nothing, type TemplateResult } from "lit";
import type { EngineInfo } from "../../runtime/index.ts";
import { type Fact, factList } from "../facts.ts";
import { formatBytes } from "../state/format.ts";
import type { Observable } from "../state/observable.ts";
import type { Studio } from "../state/studio.ts";
import { StudioElement } from "../state/studio-element.ts";
import { base } from "../style/base.ts";
import { adapterName, whereSentence } from "./adapter-words.ts";
import { denseFacts } from "./dense-words.ts";
import { trainingText } from "./words.ts";

/** Where it runs: a sentence, and behind it what the engine tells of adapter, model and memory. */
class KleinbildEngine extends StudioElement {
  static override styles = [
    base,
    css`
      :host {
        display: grid;
        gap: 0.35rem;
        font-size: 0.875rem;
      }
      .facts {
        margin-top: 0.5rem;
        max-width: 48rem;
      }
    `,
  ];

  protected observed({ session }: Studio): readonly Observable[] {
    return [this.studio, session];
  }

  override render(): TemplateResult {
    const { support, session } = this.studio;
    const { info } = session;
    const facts = [
      ...(support?.supported ? adapterFacts(info?.adapter ?? support.adapter) : []),
      ...(info ? engineFacts(info) : []),
    ];
    return html`
      <h2>Where it runs</h2>
      <p>${whereSentence(support, info?.dtype)}${support?.supported ? " Nothing is sent anywhere." : ""}</p>
      ${
        facts.length > 0
          ? html`<details>
              <summary>Adapter, model and memory</summary>
              ${factList(facts)}
            </details>`
          : nothing
      }
    `;
  }
}

function adapterFacts(adapter: EngineInfo["adapter"]): readonly Fact[] {
  return [
    ["Adapter", adapterName(adapter)],
    ["Kind", adapter.software ? "software, on the processor" : "GPU"],
    ["16-bit arithmetic (f16)", adapter.f16 ? "yes" : "no"],
    ["Subgroups", adapter.subgroups ? "yes" : "no"],
    ["Largest binding", formatBytes(adapter.maxBindingBytes)],
  ];
}

const QUANTIZATION = { none: "not quantized", q8: "8 bits", q4: "4 bits" } as const;

function engineFacts({ model, dtype, quantization, dense, memory, referenceCache }: EngineInfo): readonly Fact[] {
  const { entries, bytes, budgetBytes } = referenceCache;
  return [
    ["Model", `${model.name}: ${trainingText(model)}`],
    ["Licence", model.license ?? "not told by its files"],
    ["Precision", `${dtype}, ${QUANTIZATION[quantization]}`],
    ...denseFacts(dense),
    ["GPU memory now", formatBytes(memory.currentBytes)],
    ["GPU memory at most", formatBytes(memory.peakBytes)],
    [
      "Kept references",
      `${entries === 0 ? "none" : `${entries}, ${formatBytes(bytes)}`} of at most ${formatBytes(budgetBytes)}`,
    ],
  ];
}

customElements.define("kleinbild-engine", KleinbildEngine);
