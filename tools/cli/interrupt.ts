/** A signal that aborts at the first SIGINT. The second one ends the process. */
export function interruptSignal(): AbortSignal {
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort(new Error("interrupted")));
  return abort.signal;
}
