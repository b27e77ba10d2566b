import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";
import { Dices, Lock, LockOpen } from "lucide";
import type { Settings } from "../state/settings.ts";
import { icon } from "../style/icon.ts";

/** The seed with its lock and dice: unlocked, every picture draws a new one, which is shown afterwards. */
export function seedField(settings: Settings, error: string | undefined): TemplateResult {
  const { seed, seedLocked } = settings.fields;
  return html`<div class="field">
    <label for="seed">Seed</label>
    <div class="seed">
      <input
        id="seed"
        inputmode="numeric"
        autocomplete="off"
        placeholder="random"
        .value=${live(seed)}
        aria-describedby="seed-error"
        aria-invalid=${error ? "true" : nothing}
        @input=${({ target }: Event) => {
          const { value } = target as HTMLInputElement;
          settings.set({ seed: value, seedLocked: value.trim() !== "" });
        }}
      />
      <button
        class="icon"
        type="button"
        aria-label="Lock seed"
        title="Lock seed: the next picture takes this one, too"
        aria-pressed=${seedLocked ? "true" : "false"}
        ?disabled=${seed === ""}
        @click=${() => settings.set({ seedLocked: !seedLocked })}
      >
        ${icon(seedLocked ? Lock : LockOpen)}
      </button>
      <button
        class="icon"
        type="button"
        aria-label="Random seed"
        title="Random seed, for the next picture"
        @click=${() => settings.rollSeed()}
      >
        ${icon(Dices)}
      </button>
    </div>
    <p class="error" id="seed-error">${error ?? nothing}</p>
  </div>`;
}
