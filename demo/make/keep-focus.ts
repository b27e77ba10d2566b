import type { LitElement } from "lit";

/**
 * Where what had the focus is gone after an update, the focus goes to a place that stays, not to the top of the page.
 *
 * @param place  selector of an element in the host's shadow root that can be focused
 */
export function keepFocus(host: LitElement, place: string): void {
  const hasFocus = (): boolean => Boolean(host.shadowRoot?.activeElement);
  let had = false;
  host.addController({
    hostUpdate: () => {
      had = hasFocus();
    },
    hostUpdated: () => {
      if (had && !hasFocus()) host.renderRoot.querySelector<HTMLElement>(place)?.focus();
    },
  });
}
