import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { describe, expect } from "vitest";
import { PAGE_POLICY } from "../../tools/site/content-security-policy.ts";
import { it } from "./studio-test.ts";

const SITE = fileURLToPath(new URL("../../site/", import.meta.url));
/** Of what the page waits for, compressed: half a second on a slow mobile network of 1.6 Mbit/s. */
const SHELL_BUDGET_BYTES = 100 * 1024;
const REPORT = "report-uri /policy-report";
/** docs/hosting.md has it, for hosts that set a policy on scripts. */
const WORKER_POLICY = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' blob:; ${REPORT}`;

describe("the shell of the page", () => {
  it("is small", () => {
    const html = readFileSync(`${SITE}index.html`, "utf8");
    const files = new Set(["index.html"]);
    for (const [, path = ""] of html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)) addWithImports(path, files);
    const sizes = [...files].map((path) => [path, brotliCompressSync(readFileSync(SITE + path)).length] as const);
    const total = sizes.reduce((sum, [, size]) => sum + size, 0);
    process.stderr.write(
      `shell: ${total} bytes compressed, ${sizes.map(([path, size]) => `${path} ${size}`).join(", ")}\n`,
    );
    expect(files.size).toBeGreaterThanOrEqual(3);
    expect(total).toBeLessThan(SHELL_BUDGET_BYTES);
  });

  it("names no path of the machine that built it, and no source map", () => {
    const scripts = ["service-worker.js", "studio.js"].map((path) => readFileSync(SITE + path, "utf8"));
    for (const script of scripts) {
      expect(script).not.toContain("sourceMappingURL");
      expect(script).not.toContain(fileURLToPath(new URL("../..", import.meta.url)));
    }
  });
});

describe("the page in Chromium", () => {
  it.override({
    siteOptions: {
      headers: (path: string) => ({
        "Content-Security-Policy": path.endsWith(".html") ? `${PAGE_POLICY}; ${REPORT}` : WORKER_POLICY,
      }),
    },
  });

  it("takes input soon", async ({ browser, site }) => {
    const page = await browser.newPage();
    await page.goto(site.url);
    await page.getByRole("textbox", { name: "Prompt", exact: true }).waitFor();
    const milliseconds = await page.evaluate(() => performance.now());
    process.stderr.write(`interactive after ${Math.round(milliseconds)} ms\n`);
    expect(milliseconds).toBeLessThan(20_000);
  });

  it("loads its model under the strict policies of page and worker, and asks no other origin", async ({
    browser,
    site,
  }) => {
    const page = await browser.newPage();
    const requests: URL[] = [];
    browser.on("request", (request) => requests.push(new URL(request.url())));
    await page.goto(site.url);
    await page.getByText(/^klein-nano on /).waitFor({ timeout: 120_000 });
    expect(site.requested.filter((path) => path.endsWith(".wasm")).length).toBeGreaterThan(0);
    expect(requests.some(({ pathname }) => pathname.endsWith(".safetensors"))).toBe(true); // the worker's, too
    expect(new Set(requests.map(({ origin }) => origin))).toEqual(new Set([new URL(site.url).origin]));
    expect(site.violations).toEqual([]);
    // violations are reported, and the policy in the page itself holds
    expect(await page.evaluate(() => fetch("https://example.org/").catch(String))).toContain("TypeError");
    await expect.poll(() => site.violations.length).toBe(1);
  });
});

/** Adds a script or style sheet and all that is loaded with it. */
function addWithImports(path: string, files: Set<string>): void {
  if (files.has(path)) return;
  files.add(path);
  if (!path.endsWith(".js")) return;
  for (const [, name = ""] of readFileSync(SITE + path, "utf8").matchAll(/(?:from|import)\s*["'](\.[^"']+)["']/g))
    addWithImports(new URL(name, `file:///${path}`).pathname.slice(1), files);
}
