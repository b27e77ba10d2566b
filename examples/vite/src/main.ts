import { checkSupport, createKleinbild, type GenerateRequest, type Kleinbild } from "kleinbild";

const form = find("form", HTMLFormElement);
const generate = find("button", HTMLButtonElement);
const cancel = find("#cancel", HTMLButtonElement);
const status = find("#status", HTMLSpanElement);
const progress = find("progress", HTMLProgressElement);
const picture = find("img", HTMLImageElement);

let engine: Kleinbild | undefined;
let running: AbortController | undefined;

/** Loads the model at the first request, and keeps it for the next. */
async function openEngine(signal: AbortSignal): Promise<Kleinbild> {
  engine ??= await createKleinbild({
    signal,
    onProgress: ({ loadedBytes, totalBytes }) => show("Loading the model", loadedBytes / totalBytes),
  });
  return engine;
}

async function makePicture(request: GenerateRequest, signal: AbortSignal): Promise<void> {
  const generation = (await openEngine(signal)).generate(request, { signal });
  for await (const event of generation)
    if (event.type === "step") show(`Step ${event.step} of ${event.steps}`, event.step / event.steps);
  const { image, report } = await generation.result;
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(await image.toBlob());
  picture.alt = request.prompt;
  await picture.decode();
  picture.hidden = false;
  show(`Done, seed ${report.seed}`, 1);
}

function readRequest(): GenerateRequest {
  const fields = new FormData(form);
  const size = Number(fields.get("size"));
  // a file input without a choice gives one empty file
  const references = fields.getAll("references").filter((file): file is File => file instanceof File && file.size > 0);
  return {
    prompt: fields.get("prompt") as string,
    references,
    width: size,
    height: size,
    steps: Number(fields.get("steps")),
  };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  running = new AbortController();
  generate.disabled = true;
  cancel.disabled = false;
  try {
    await makePicture(readRequest(), running.signal);
  } catch (error) {
    show(running.signal.aborted ? "Cancelled" : `No picture: ${error instanceof Error ? error.message : error}`, 0);
  } finally {
    generate.disabled = false;
    cancel.disabled = true;
  }
});
cancel.addEventListener("click", () => running?.abort());

// frees the GPU while the page lies in the browser's back/forward cache; the next request loads again
addEventListener("pagehide", () => {
  void engine?.dispose();
  engine = undefined;
});

const support = await checkSupport();
generate.disabled = !support.supported;
show(support.supported ? "Ready" : support.reason, 0);

function show(text: string, share: number): void {
  status.textContent = text;
  progress.value = share;
}

function find<T extends HTMLElement>(selector: string, type: new () => T): T {
  const element = document.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`The page has no ${selector}.`);
}
