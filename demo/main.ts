import {
  checkSupport,
  createKleinbild,
  type GenerateRequest,
  type Kleinbild,
  KleinbildError,
} from "../runtime/index.ts";
import { find } from "./dom.ts";
import { showExamples } from "./examples.ts";
import { showAdapter, showEngine, showRun } from "./facts.ts";
import { formatTime } from "./format.ts";
import { LatestPicture } from "./latest-picture.ts";
import { PictureBox } from "./picture-box.ts";
import { receivePictures } from "./picture-drop.ts";
import { ProgressLine } from "./progress-line.ts";
import { ReferenceList } from "./reference-list.ts";
import { RequestForm, showFieldError } from "./request-form.ts";
import { loadStage, RunStages } from "./run-stages.ts";

const generate = find("generate", HTMLButtonElement);
const cancel = find("cancel", HTMLButtonElement);
const retry = find("retry", HTMLButtonElement);
const alertArea = find("alert", HTMLDivElement);
const output = find("output", HTMLElement);

const progress = new ProgressLine();
const form = new RequestForm();
const enableExamples = showExamples(find("examples", HTMLDivElement), (prompt) => form.setPrompt(prompt));
const references = new ReferenceList(
  (count) => {
    enableExamples(count);
    form.setReferenceCount(count);
  },
  (problem) => showFieldError("references", problem),
);
const box = new PictureBox();
const latest = new LatestPicture(box, (file) => void references.add([file]));

let engine: Kleinbild | undefined;
let running: AbortController | undefined;

async function start(): Promise<void> {
  const support = await checkSupport();
  if (!support.supported) return showUnsupported(support.reason);
  find("workspace", HTMLElement).hidden = false;
  find("engine", HTMLElement).hidden = false;
  showAdapter(support.adapter);
  await load();
}

async function load(): Promise<void> {
  hideAlert();
  progress.begin("Loading the model");
  try {
    engine = await createKleinbild({ onProgress: (event) => progress.update(loadStage(event)) });
    const info = await engine.info();
    form.adopt(info.model);
    showEngine(info);
    generate.disabled = false;
    progress.end("Ready");
  } catch (error) {
    await giveUpEngine();
    showAlert(error);
    progress.end("The model was not loaded.");
  }
}

async function run(): Promise<void> {
  if (!engine || running) return;
  running = new AbortController();
  const { signal } = running;
  showRunning(true);
  hideAlert();
  form.clearErrors();
  try {
    const milliseconds = await generatePicture(engine, form.read(references.files), signal);
    progress.end(`Done in ${formatTime(milliseconds)}`);
  } catch (error) {
    if (signal.aborted) progress.end("Cancelled");
    else {
      progress.end("No picture was made.");
      if (!form.showError(error)) showAlert(error);
      if (isDead(error)) await giveUpEngine();
    }
  } finally {
    running = undefined;
    latest.show();
    showRunning(false);
  }
}

/** Returns the milliseconds that it took. */
async function generatePicture(engine: Kleinbild, request: GenerateRequest, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  const { model } = await engine.info();
  const stages = new RunStages({
    steps: request.steps ?? model.defaultSteps,
    references: references.files.length > 0,
    guided: (request.guidance ?? model.defaultGuidance ?? 1) > 1,
  });
  progress.begin("Reading the prompt");
  const generation = engine.generate(request, { signal });
  for await (const event of generation) {
    if (event.type === "result") continue;
    progress.update(stages.after(event));
    if (event.type === "step" && event.preview) box.showPreview(event.preview);
  }
  const { image, report } = await generation.result;
  await latest.keep(image);
  form.showSeed(report.seed);
  showRun(report, image);
  showEngine(await engine.info());
  return performance.now() - started;
}

function showRunning(on: boolean): void {
  // a button that disappears takes the focus with it
  const cancelHadFocus = document.activeElement === cancel;
  generate.disabled = on || !engine;
  cancel.hidden = !on;
  output.ariaBusy = String(on);
  if (on) {
    latest.hideActions();
    find("frame", HTMLDivElement).scrollIntoView({ block: "nearest" });
  } else if (cancelHadFocus) generate.focus({ preventScroll: true });
}

/** Whether no further request can succeed. */
function isDead(error: unknown): boolean {
  return error instanceof KleinbildError && ["worker-died", "disposed", "device-lost"].includes(error.code);
}

async function giveUpEngine(): Promise<void> {
  const dead = engine;
  engine = undefined;
  retry.hidden = false;
  await dead?.dispose().catch(() => {}); // what is dead already cannot be ended in order
}

/** Instead of the form. */
function showUnsupported(reason: string): void {
  const notice = find("unsupported", HTMLParagraphElement);
  notice.textContent = reason;
  notice.hidden = false;
}

function showAlert(error: unknown): void {
  find("alert-text", HTMLParagraphElement).textContent = messageOf(error);
  alertArea.hidden = false;
}

function hideAlert(): void {
  alertArea.hidden = true;
  retry.hidden = true;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

find("request", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void run();
});
cancel.addEventListener("click", () => running?.abort());
retry.addEventListener("click", () => void load());
receivePictures(find("references", HTMLFieldSetElement), (files) => void references.add(files));

start().catch((error: unknown) => showUnsupported(messageOf(error)));
