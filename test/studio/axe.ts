import { source } from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

interface Violation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary: string }[];
}

/** WCAG 2.2 AA and axe's best practices; colours in the light and the dark scheme if the browser can emulate them. */
export async function expectAccessible(
  page: Page,
  schemes: readonly ("light" | "dark")[] = ["light", "dark"],
): Promise<void> {
  await page.evaluate(source);
  for (const colorScheme of schemes) {
    if (schemes.length > 1) await page.emulateMedia({ colorScheme });
    const { violations, passes } = await page.evaluate<{
      violations: readonly Violation[];
      passes: readonly unknown[];
    }>("axe.run(document, { resultTypes: ['violations', 'passes'] })");
    expect(violations.map(describeViolation), colorScheme).toEqual([]);
    expect(passes.length).toBeGreaterThan(20); // it looked at something
  }
}

function describeViolation({ id, help, nodes }: Violation): string {
  return `${id}: ${help}\n${nodes.map(({ target, failureSummary }) => `${JSON.stringify(target)} ${failureSummary}`).join("\n")}`;
}
