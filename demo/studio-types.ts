/**
 * The studio as an element for your own page. Importing this entry defines `<kleinbild-studio>`.
 *
 * @example
 * ```html
 * <script type="module">import "kleinbild/studio";</script>
 * <kleinbild-studio model="/weights/klein-4b/"></kleinbild-studio>
 * ```
 *
 * @module kleinbild/studio
 * @packageDocumentation
 */

import type { KleinbildOptions } from "../runtime/index.ts";

/** A model that the studio can open. */
export interface ModelChoice {
  /** Identifies the choice: opening it again changes nothing. */
  readonly id: string;
  /** What the list of models shows. */
  readonly name: string;
  /** As for `createKleinbild`. Without `model` it is klein-nano. */
  readonly options: Pick<KleinbildOptions, "model" | "quantization" | "memoryBudgetBytes" | "keep" | "evict">;
}

/**
 * The element `<kleinbild-studio>`: the whole demo page. `import "kleinbild/studio"` defines it.
 *
 * It fires `kleinbild-started` when its first model has loaded or failed to load. A page can set its colours and measures
 * as custom properties (`--ground`, `--surface`, `--ink`, `--accent` and so on). Children with `slot="state"` appear at the
 * end of its header.
 *
 * @example
 * ```ts
 * import "kleinbild/studio";
 *
 * const studio = document.createElement("kleinbild-studio");
 * studio.choices = [{ id: "4b", name: "klein 4B", options: { model: "/weights/klein-4b/" } }];
 * document.body.append(studio);
 * ```
 */
export interface KleinbildStudioElement extends HTMLElement {
  /** Attribute `model`: address of the folder of the first model. Default: klein-nano. */
  model: string | undefined;
  /** Attribute `ort-wasm-url`: address of onnxruntime's wasm. Needed only where no bundler places that file. */
  ortWasmUrl: string | undefined;
  /** Models that the list offers besides klein-nano. Default: none. */
  choices: readonly ModelChoice[];
}

declare global {
  interface HTMLElementTagNameMap {
    "kleinbild-studio": KleinbildStudioElement;
  }
}
