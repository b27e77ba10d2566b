import { checkSupport, createKleinbild } from "./node_modules/kleinbild/dist/standalone/kleinbild.js";

const form = document.querySelector("form");
const generate = document.querySelector("button");
const cancel = document.querySelector("#cancel");
const status = document.querySelector("#status");
const progress = document.querySelector("progress");
const picture = document.querySelector("img");

let engine;
let running;

/** Loads the model at the first request, and keeps it for the next. */
async function openEngine(signal) {
  engine ??= await createKleinbild({
    signal,
    ortWasmUrl: "./node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm",
    onProgress: ({ loadedBytes, totalBytes }) => show("Loading the model", loadedBytes / totalBytes),
  });
  return engine;
}

async function makePicture(request, signal) {
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

function readRequest() {
  const fields = new FormData(form);
  const size = Number(fields.get("size"));
  return {
    prompt: fields.get("prompt"),
    references: fields.getAll("references").filter((file) => file.size > 0), // without a choice: one empty file
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
    show(running.signal.aborted ? "Cancelled" : `No picture: ${error.message}`, 0);
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

function show(text, share) {
  status.textContent = text;
  progress.value = share;
}
