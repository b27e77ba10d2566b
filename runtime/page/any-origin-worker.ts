/** The address of a module of this page that imports the worker of another origin, whose server must allow CORS. */
function startable(address: string | URL): string | URL {
  const url = new URL(address, location.href);
  if (url.origin === location.origin) return url;
  const source = `import ${JSON.stringify(url.href)};`;
  return URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
}

/**
 * A module worker of any origin. Browsers start only workers of the page's own origin, and bundlers follow only
 * `new Worker(new URL("…", import.meta.url))`. The modules for pages without a bundler may come from another origin, so they
 * are built with this class instead of `Worker`.
 */
export class AnyOriginWorker extends globalThis.Worker {
  constructor(address: string | URL, options?: WorkerOptions) {
    super(startable(address), options);
  }
}
