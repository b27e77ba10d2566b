import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";

/** More stops than any tab of the studio has. */
const MOST_STOPS = 150;

/** What has the focus, across shadow roots, and what a person sees of it. */
interface Focus {
  readonly name: string;
  /** Whether it, or what stands for it, has an outline. */
  readonly outlined: boolean;
  /** Whether some of it is neither covered nor out of view. */
  readonly inView: boolean;
}

/** Presses Tab, or Shift and Tab, until the focus is there; each stop on the way has to be seen. */
export async function tabTo(target: Locator, key: "Tab" | "Shift+Tab" = "Tab"): Promise<void> {
  const page = target.page();
  const passed: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await page.keyboard.press(key);
    passed.push(await expectVisibleFocus(page));
    if (await hasFocus(target)) return;
  }
  throw new Error(`Tab does not lead to ${target.toString()}; it led to ${passed.join(", ")}`);
}

/** Waits until something has the focus, and looks at it. */
export async function expectFocus(target: Locator): Promise<void> {
  const page = target.page();
  const wanted = target.toString();
  await expect
    .poll(async () => ((await hasFocus(target)) ? wanted : (await page.evaluate(focusOf)).name), { timeout: 10_000 })
    .toBe(wanted);
  await expectVisibleFocus(page);
}

async function hasFocus(target: Locator): Promise<boolean> {
  return (await target.count()) === 1 && target.evaluate((element) => element.matches(":focus"));
}

/** @returns what has the focus */
async function expectVisibleFocus(page: Page): Promise<string> {
  const focus = await page.evaluate(focusOf);
  expect(focus).toEqual({ name: focus.name, outlined: true, inView: true });
  return focus.name;
}

/** Runs in the page. */
function focusOf(): Focus {
  let element = document.activeElement!;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const outlined = [element, ...element.parentNode!.querySelectorAll(":focus-visible ~ *, :focus-visible ~ * *")].some(
    (shown) => {
      const { outlineStyle, outlineWidth, opacity } = getComputedStyle(shown);
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && opacity !== "0";
    },
  );
  const { left, top, width, height } = element.getBoundingClientRect();
  const covers = (x: number, y: number): boolean => {
    let found = document.elementFromPoint(x, y);
    for (let outer: Element | null = null; found !== outer;) {
      outer = found;
      found = outer?.shadowRoot?.elementFromPoint(x, y) ?? outer;
    }
    return found !== null && (element.contains(found) || found.contains(element));
  };
  const inView = [0.1, 0.5, 0.9].some((y) => [0.1, 0.5, 0.9].some((x) => covers(left + x * width, top + y * height)));
  return { name: `${element.localName} ${element.ariaLabel ?? element.textContent?.trim() ?? ""}`, outlined, inView };
}
