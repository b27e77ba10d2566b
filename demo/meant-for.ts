/** Whether what reaches the whole page is for an element: what has the focus is in it, or nothing on the page has. */
export function isMeantFor(host: EventTarget, event: Event): boolean {
  const path = event.composedPath();
  return path.includes(host) || path[0] === document.body || path[0] === document.documentElement;
}

/** Whether a key says that what runs in the host is to end, and not that a list, a dialog or a word is. */
export function meansCancel(host: EventTarget, event: KeyboardEvent): boolean {
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing || event.repeat) return false;
  const [target] = event.composedPath();
  const closesList = (target as Partial<Element> | undefined)?.localName === "select";
  return !closesList && isMeantFor(host, event);
}
