/** Another origin's worker is started by a module of the page's own that imports it; that server must allow CORS. */
function startable(address: string | URL): string | URL {
  const url = new URL(address, location.href);
  if (url.origin === location.origin) return url;
  const source = `import ${JSON.stringify(url.href)};`;
  return URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
}

/**
 * A module worker from wherever its address points. Browsers start workers of the page's own origin only, and bundlers follow
 * nothing but `new Worker(new URL("…", import.meta.url))`; so the modules for pages without a bundler, which may come from
 * another origin, are built with this class in the place of `Worker`.
 */
export class AnyOriginWorker extends globalThis.Worker {
  constructor(address: string | URL, options?: WorkerOptions) {
    super(startable(address), options);
  }
}
