import { html, nothing, type TemplateResult } from "lit";
import { type ModelConfig, SCHEDULERS, type SchedulerName } from "../../runtime/index.ts";
import type { Fields } from "../state/settings.ts";
import type { Studio } from "../state/studio.ts";
import { numberField } from "./field.ts";

const BACKENDS: readonly (readonly [Fields["backend"], string])[] = [
  ["auto", "Automatic: the fastest here"],
  ["wgsl", "Own kernels"],
  ["ort", "onnxruntime"],
];
const PRECISIONS: readonly (readonly [Fields["dtype"], string])[] = [
  [undefined, "Automatic"],
  ["f16", "f16"],
  ["f32", "f32"],
];

const NAMES = Object.keys(SCHEDULERS) as SchedulerName[];
const isOwn = (name: SchedulerName): boolean => name === "Default" || SCHEDULERS[name].aliasOf === undefined;
const OWN_NAMES = ["Default", ...NAMES.filter((name) => isOwn(name) && name !== "Default")] as SchedulerName[];
const OTHER_NAMES = NAMES.filter((name) => !isOwn(name));

/** What is seldom changed. Backend and precision open the model again. */
export function advancedFields(
  studio: Studio,
  model: ModelConfig | undefined,
  errors: Readonly<Record<string, string>>,
): TemplateResult {
  const { settings, support } = studio;
  const { fields } = settings;
  const f16 = support?.supported === true && support.adapter.f16;
  const option = (name: SchedulerName): TemplateResult =>
    html`<option .selected=${name === fields.scheduler}>${name}</option>`;
  const compute = (change: Pick<Partial<Fields>, "backend" | "dtype">): void => {
    settings.set(change);
    void studio.openModel(studio.session.choice);
  };
  return html`<details>
    <summary>Advanced</summary>
    <div class="columns">
      <div class="field wide">
        <label for="scheduler">Scheduler</label>
        <select
          id="scheduler"
          @change=${({ target }: Event) => settings.set({ scheduler: (target as HTMLSelectElement).value as SchedulerName })}
        >
          ${OWN_NAMES.map(option)}
          <optgroup label="Other names of the same">${OTHER_NAMES.map(option)}</optgroup>
        </select>
      </div>
      ${
        model?.distilled === false
          ? numberField({
              id: "guidance",
              label: "Guidance",
              hint: "1 turns it off.",
              value: fields.guidance,
              placeholder: String(model.defaultGuidance ?? 1),
              error: errors["guidance"],
              min: 1,
              max: 100,
              step: "any",
              onInput: (guidance) => settings.set({ guidance }),
            })
          : nothing
      }
      <div class="field">
        <label for="backend">Backend</label>
        <select
          id="backend"
          @change=${({ target }: Event) => compute({ backend: BACKENDS[(target as HTMLSelectElement).selectedIndex]![0] })}
        >
          ${BACKENDS.map(([value, name]) => html`<option .selected=${value === fields.backend}>${name}</option>`)}
        </select>
      </div>
      <div class="field">
        <label for="precision">Precision</label>
        <select
          id="precision"
          aria-describedby="precision-hint"
          @change=${({ target }: Event) => compute({ dtype: PRECISIONS[(target as HTMLSelectElement).selectedIndex]![0] })}
        >
          ${PRECISIONS.map(
            ([value, name]) =>
              html`<option .selected=${value === fields.dtype} ?disabled=${value === "f16" && !f16}>${name}</option>`,
          )}
        </select>
        <p class="hint" id="precision-hint">${f16 ? "Half the memory in f16." : "This adapter has no f16."}</p>
      </div>
    </div>
  </details>`;
}
