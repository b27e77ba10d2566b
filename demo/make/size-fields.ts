import { html, nothing, type TemplateResult } from "lit";
import type { Settings } from "../state/settings.ts";
import { numberField } from "./field.ts";

/** Sizes are multiples of it, in pixels. */
const STEP = 16;
const RATIOS = [
  ["Square", 1, 1],
  ["Landscape 3:2", 3, 2],
  ["Portrait 2:3", 2, 3],
  ["Wide 16:9", 16, 9],
  ["Tall 9:16", 9, 16],
] as const;

export interface SizePreset {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/** Usual shapes: the shorter side at the model's size where it is small, else about as many pixels as its own square. */
export function sizePresets(modelSize: number): readonly SizePreset[] {
  return RATIOS.map(([name, x, y]) => {
    const shrink = modelSize < 512 ? Math.min(x, y) : Math.sqrt(x * y);
    return { name, width: snap((modelSize * x) / shrink), height: snap((modelSize * y) / shrink) };
  });
}

/** The nearest size that there is. */
export function snap(pixels: number): number {
  return Math.max(STEP, Math.round(pixels / STEP) * STEP);
}

/** A list of usual sizes beside width and height. */
export function sizeFields(
  settings: Settings,
  modelSize: number,
  hasReferences: boolean,
  error: string | undefined,
): TemplateResult {
  const { width, height } = settings.fields;
  const presets = sizePresets(modelSize);
  const chosen = presets.findIndex((preset) => preset.width === width && preset.height === height);
  const isAutomatic = width === undefined && height === undefined;
  const automatic = hasReferences ? "Automatic: as image 1" : `Automatic: ${modelSize} × ${modelSize}`;
  const choose = (value: string): void => {
    const preset = presets[Number(value)];
    settings.set(
      value === "" ? { width: undefined, height: undefined } : { width: preset?.width, height: preset?.height },
    );
  };
  const side = (name: "width" | "height", label: string): TemplateResult =>
    numberField({
      id: name,
      label,
      value: settings.fields[name],
      placeholder: hasReferences ? "auto" : String(modelSize),
      error: undefined,
      min: STEP,
      max: 8192,
      step: STEP,
      onInput: (value) => settings.set({ [name]: value }),
      onChange: (value) => {
        if (value === undefined) return settings.set({ width: undefined, height: undefined });
        if (Number.isNaN(value)) return; // the engine says what is wrong
        const other = name === "width" ? "height" : "width";
        settings.set({ [name]: snap(value), [other]: settings.fields[other] ?? modelSize });
      },
    });
  return html`<div class="size" role="group" aria-label="Size">
      <div class="field">
        <label for="size">Size</label>
        <select
          id="size"
          aria-describedby="size-error"
          aria-invalid=${error ? "true" : nothing}
          @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}
        >
          <option value="" .selected=${isAutomatic}>${automatic}</option>
          ${presets.map(
            (preset, i) =>
              html`<option value=${i} .selected=${i === chosen}>
                ${preset.name}, ${preset.width} × ${preset.height}
              </option>`,
          )}
          <option value="own" disabled .selected=${!isAutomatic && chosen < 0}>As typed</option>
        </select>
      </div>
      ${side("width", "Width")} ${side("height", "Height")}
    </div>
    <p class="error" id="size-error">${error ?? ""}</p>`;
}
