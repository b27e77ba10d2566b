// Functions that run in the page, whole: they see nothing of this module.

interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  /** The browser omits nodes in shadow roots. */
  readonly sources: readonly { readonly previousRect: DOMRectReadOnly; readonly currentRect: DOMRectReadOnly }[];
}

/** Before the page's own scripts. */
export function watchLayoutShifts(): void {
  const shifts: LayoutShift[] = [];
  Object.assign(globalThis, { layoutShifts: shifts });
  new PerformanceObserver((list) => shifts.push(...(list.getEntries() as LayoutShift[]))).observe({
    type: "layout-shift",
    buffered: true,
  });
}

/** How much has moved that nobody touched, and what. */
export function layoutShifts(): { readonly sum: number; readonly sources: readonly string[] } {
  const shifts = (globalThis as unknown as { layoutShifts: readonly LayoutShift[] }).layoutShifts.filter(
    ({ hadRecentInput }) => !hadRecentInput,
  );
  return {
    sum: shifts.reduce((sum, { value }) => sum + value, 0),
    sources: shifts.flatMap(({ value, sources }) =>
      sources.map(
        ({ previousRect: { x, y, width, height }, currentRect: to }) =>
          `${value.toFixed(4)}: ${width} × ${height} from ${x}, ${y} to ${to.width} × ${to.height} at ${to.x}, ${to.y}`,
      ),
    ),
  };
}

/** What can be pressed or typed into and is smaller than 24 × 24 CSS pixels, with another target near (WCAG 2.5.8). */
export function smallTargets(): { readonly count: number; readonly small: readonly string[] } {
  const SIDE = 24;
  const inside = (root: ParentNode): Element[] =>
    [...root.querySelectorAll("*")].flatMap((element) => [
      element,
      ...(element.shadowRoot ? inside(element.shadowRoot) : []),
    ]);
  const targets = inside(document)
    .filter((element) => element.matches("a[href], button, input, select, textarea, summary, [tabindex='0']"))
    .filter((element) => element.checkVisibility({ visibilityProperty: true }))
    // a line of text may have links as it needs them
    .filter((element) => getComputedStyle(element).display !== "inline")
    .map((element) => ({ element, box: (element.closest("label") ?? element).getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0 && box.height > 0);
  const centre = ({ left, top, width, height }: DOMRect): readonly [number, number] => [
    left + width / 2,
    top + height / 2,
  ];
  const isSmall = ({ width, height }: DOMRect): boolean => Math.min(width, height) < SIDE - 0.01;
  const isNear = (box: DOMRect, other: DOMRect): boolean => {
    const [x, y] = centre(box);
    const [dx, dy] = isSmall(other)
      ? [centre(other)[0] - x, centre(other)[1] - y]
      : [Math.max(other.left - x, 0, x - other.right), Math.max(other.top - y, 0, y - other.bottom)];
    return Math.hypot(dx, dy) < (isSmall(other) ? SIDE : SIDE / 2);
  };
  return {
    count: targets.length,
    small: targets
      .filter(({ box }) => isSmall(box))
      .filter(({ element, box }) => targets.some((other) => other.element !== element && isNear(box, other.box)))
      .map(
        ({ element, box }) =>
          `${element.localName} ${element.ariaLabel ?? element.textContent?.trim() ?? ""}: ${box.width} × ${box.height}`,
      ),
  };
}

/** Text that does not fit into what it stands in, where that cuts it off. */
export function clippedTexts(): readonly string[] {
  const inside = (root: ParentNode): Element[] =>
    [...root.querySelectorAll("*")].flatMap((element) => [
      element,
      ...(element.shadowRoot ? inside(element.shadowRoot) : []),
    ]);
  return inside(document)
    .filter((element) => element instanceof HTMLElement && element.checkVisibility() && element.innerText?.trim())
    .filter((element) => !element.matches("textarea, select, option, .visually-hidden"))
    .filter((element) => {
      const { overflowX, overflowY } = getComputedStyle(element);
      const cuts = (overflow: string): boolean => overflow === "hidden" || overflow === "clip";
      const isButton = element.matches("button, .button");
      return (
        ((cuts(overflowX) || isButton) && element.scrollWidth > element.clientWidth + 1) ||
        ((cuts(overflowY) || isButton) && element.scrollHeight > element.clientHeight + 1)
      );
    })
    .map((element) => `${element.localName}.${element.className} ${(element as HTMLElement).innerText}`);
}

/** Of all roots. */
export function runningAnimations(): readonly string[] {
  const roots = (root: Document | ShadowRoot): (Document | ShadowRoot)[] => [
    root,
    ...[...root.querySelectorAll("*")].flatMap(({ shadowRoot }) => (shadowRoot ? roots(shadowRoot) : [])),
  ];
  return roots(document)
    .flatMap((root) => root.getAnimations())
    .filter(({ playState }) => playState === "running")
    .map(({ effect }) => (effect as KeyframeEffect).target?.localName ?? "gone");
}
