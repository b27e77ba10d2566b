/** What `import "kleinbild/studio"` defines: the element `<kleinbild-studio>`. */
export type KleinbildStudioElement = HTMLElement;

declare global {
  interface HTMLElementTagNameMap {
    "kleinbild-studio": KleinbildStudioElement;
  }
}
