import type { KleinbildOptions } from "./runtime/client.js";

/** A model that the studio's list offers. */
export interface ModelChoice {
  readonly id: string;
  readonly name: string;
  /** As for `createKleinbild`. */
  readonly options: Pick<KleinbildOptions, "model" | "quantization" | "memoryBudgetBytes" | "keep" | "evict">;
}

/**
 * What `import "kleinbild/studio"` defines: `<kleinbild-studio>`, the whole demo page as one element. It fires
 * `kleinbild-started` when its first model was loaded, or could not be. Its colours and measures are custom properties
 * (`--ground`, `--surface`, `--ink`, `--accent` and so on) that a page may set on it; what has `slot="state"` stands at the
 * end of its header.
 */
export interface KleinbildStudioElement extends HTMLElement {
  /** Attribute `model`: address of a model's folder to begin with; klein-nano without it. */
  model: string | undefined;
  /** Attribute `ort-wasm-url`: address of onnxruntime's wasm, where no bundler takes care of it. */
  ortWasmUrl: string | undefined;
  /** Models of this site that the list offers besides klein-nano. */
  choices: readonly ModelChoice[];
}

declare global {
  interface HTMLElementTagNameMap {
    "kleinbild-studio": KleinbildStudioElement;
  }
}
