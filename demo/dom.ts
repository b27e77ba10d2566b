/** The element with this id; the page's markup is fixed, so that another one is a mistake in it. */
export function find<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return element;
}

export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Names and what they are, in a `<dl>`; facts without a value are left out. */
export function showFacts(list: HTMLDListElement, facts: Readonly<Record<string, string | undefined>>): void {
  const rows: HTMLElement[] = [];
  for (const [name, value] of Object.entries(facts))
    if (value !== undefined && value !== "")
      rows.push(create("div", {}, create("dt", {}, name), create("dd", {}, value)));
  list.replaceChildren(...rows);
}
