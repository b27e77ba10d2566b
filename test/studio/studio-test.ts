import { test } from "vitest";
import { type BrowserName, type BrowserOptions, launchBrowser } from "../../tools/browsers.ts";
import { serveSite, type SiteServerOptions } from "../../tools/site-server.ts";
import { StudioPage } from "./studio-page.ts";

interface StudioBrowser extends BrowserOptions {
  readonly name: BrowserName;
}

/** A test of the page. Each has a host, a browser with an empty profile, and the page opened in it where it asks for `studio`. */
export const it = test
  .extend("siteOptions", {} as SiteServerOptions)
  .extend("browserOptions", { name: "chromium" } as StudioBrowser)
  .extend("fields", {})
  .extend("site", async ({ siteOptions }, { onCleanup }) => {
    const site = await serveSite(siteOptions);
    onCleanup(() => site.close());
    return site;
  })
  .extend("browser", async ({ browserOptions: { name, ...options } }, { onCleanup }) => {
    const browser = await launchBrowser(name, options);
    onCleanup(() => browser.close());
    return browser;
  })
  .extend("studio", ({ browser, site, fields }) => StudioPage.open(browser, site.url, fields));
