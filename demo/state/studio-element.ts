import { LitElement, type PropertyDeclarations } from "lit";
import { type Observable, observe } from "./observable.ts";
import type { Studio } from "./studio.ts";

/** A component of the studio, rendered again whenever something that it shows changes. */
export abstract class StudioElement extends LitElement {
  static override properties: PropertyDeclarations = { studio: { attribute: false } };
  /** Set once, before the component is on the page. */
  declare studio: Studio;

  constructor() {
    super();
    observe(this, () => this.observed(this.studio));
  }

  /** What it shows. */
  protected abstract observed(studio: Studio): readonly Observable[];
}
