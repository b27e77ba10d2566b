import { html, nothing, type TemplateResult } from "lit";
import type { Availability } from "../../runtime/index.ts";
import { type Fact, factList } from "../facts.ts";
import type { EngineSession } from "../state/engine-session.ts";
import { formatBytes, timeLeft } from "../state/format.ts";
import { loadStage } from "../state/progress.ts";
import type { LoadState, ModelLoad } from "./model-load.ts";
import { isPicked, type ModelRequest } from "./model-request.ts";
import { PART_NAMES, stageText, trainingText, verdict, withReadableBytes } from "./words.ts";

type Moving = Extract<LoadState, { status: "downloading" | "paused" }>;
const PARTS = ["transformer", "textEncoder", "vae"] as const;

/** What is being done, for all and for who listens: it changes with the phases, not with every number. */
export function statusOf({ state, request, choice }: ModelLoad, session: EngineSession): string {
  if (choice && session.refusal?.choice.id === choice.id) return ""; // said beside it
  if (choice && session.choice.id === choice.id) {
    if (session.state.status === "loading")
      return session.state.progress ? `${loadStage(session.state.progress).status}.` : "Opening the model.";
    if (session.state.status === "ready") return `${choice.name} is open.`;
  }
  const name = request?.name ?? "The model";
  switch (state.status) {
    case "idle":
      return "";
    case "checking":
      return `Looking at ${name}: its headers only.`;
    case "checked":
      return request ? verdict(state.availability, isPicked(request)) : "";
    case "downloading":
      return state.transfer ? `${name}: ${stageText(state.transfer.event)}.` : `${name}: looking for what is missing.`;
    case "paused":
      return `${name}: paused. What came stays on this device.`;
    case "downloaded":
      return `${name} is ready to be opened.`;
    case "failed":
      return state.canResume ? `${name}: interrupted. What came stays on this device.` : "";
    default:
      return state satisfies never;
  }
}

/** What was found out about a model before it is downloaded. */
export function loadFacts(availability: Availability, request: ModelRequest): TemplateResult {
  const { missing, model, recognition, downloadBytes, store, storage, plan } = availability;
  return html`
    ${
      missing.length > 0
        ? html`<ul class="against">
            ${missing.map((sentence) => html`<li>${withReadableBytes(sentence)}</li>`)}
          </ul>`
        : nothing
    }
    ${factList([
      ["Recognised as", `${model.name}: ${trainingText(model)}`],
      ...PARTS.map((part): Fact => [capitalized(PART_NAMES[part]), partText(recognition.parts[part])]),
      ["Licence", model.license ?? "not told by the files"],
      ...(isPicked(request) ? [] : [["To download", formatBytes(downloadBytes)] as const]),
      ...(store.bytes > 0 ? [["Space on this device", storeText(store, storage?.freeBytes)] as const] : []),
      ...(plan ? [["GPU memory", gpuText(plan.peakBytes, model.defaultSize, request.memoryBudgetBytes)] as const] : []),
    ])}
  `;
}

/** How far a download is. */
export function loadProgress({ status, transfer }: Moving): TemplateResult | typeof nothing {
  if (!transfer) return status === "downloading" ? html`<progress aria-label="Download"></progress>` : nothing;
  const { event, bytesPerSecond, leftMs } = transfer;
  const { loadedBytes, totalBytes } = event;
  const isMoving = status === "downloading";
  const numbers = [
    `${formatBytes(loadedBytes)} of ${formatBytes(totalBytes)}`,
    isMoving && bytesPerSecond !== undefined ? `${formatBytes(bytesPerSecond)}/s` : "",
    isMoving && leftMs !== undefined ? timeLeft(leftMs) : "",
  ];
  return html`
    <progress aria-label="Download" max=${totalBytes} .value=${loadedBytes}></progress>
    <p class="hint">${numbers.filter((number) => number !== "").join(", ")}</p>
  `;
}

function partText({ format, naming, types, extra }: Availability["recognition"]["parts"]["vae"]): string {
  const names = Object.entries(types)
    .toSorted(([, a], [, b]) => b - a)
    .map(([type]) => type);
  const others = extra.length > 0 ? `; ${extra.length} tensors that it does not know` : "";
  return `${format === "gguf" ? "GGUF" : format}, ${names.join(", ")}, named as by ${naming}${others}`;
}

function storeText({ bytes, peakBytes }: Availability["store"], freeBytes: number | undefined): string {
  const onTheWay = peakBytes > bytes ? `, up to ${formatBytes(peakBytes)} on the way` : "";
  const free = freeBytes === undefined ? "" : `; ${formatBytes(freeBytes)} are free`;
  return `${formatBytes(bytes)}${onTheWay}${free}`;
}

function gpuText(peakBytes: number, size: number, budgetBytes: number | undefined): string {
  const within = budgetBytes === undefined ? "" : `; the budget is ${formatBytes(budgetBytes)}`;
  return `at most ${formatBytes(peakBytes)} for ${size} × ${size}${within}`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
