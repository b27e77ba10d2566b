import type { Availability, ModelInput, Quantization, StoredModel } from "../../runtime/index.ts";
import type { ModelChoice } from "../studio-types.ts";

/** A model that is asked for, and how it is wanted. */
export interface ModelRequest {
  readonly input: ModelInput;
  readonly name: string;
  /** Undefined: as it is in the files. */
  readonly quantization: Quantization | undefined;
  /** Whether this device is to keep it. */
  readonly keep: boolean;
  readonly memoryBudgetBytes: number | undefined;
}

/** What comes before opening it: nothing, a download, or files that are repacked where they lie. */
export type Step = "open" | "download" | "prepare";

/** Whether it is in files that the user picked. */
export function isPicked({ input }: Pick<ModelRequest, "input">): boolean {
  if (typeof input === "string" || input instanceof URL) return false;
  return Array.isArray(input) || Object.values(input).some((file) => file instanceof Blob);
}

export function nextStep(request: ModelRequest, { status, downloadBytes }: Availability): Step {
  if (!request.keep) return "open";
  if (isPicked(request)) return request.quantization === "q8" || request.quantization === "q4" ? "prepare" : "open";
  return status === "ready" || downloadBytes === 0 ? "open" : "download";
}

/** A model that this device keeps, by its id alone. */
export function storedChoice(id: string, name: string, memoryBudgetBytes?: number): ModelChoice {
  const model = `stored:${id}`;
  return { id: model, name, options: { model, memoryBudgetBytes } };
}

/** What the session is to open for a request whose files were looked at. */
export function choiceOf(request: ModelRequest, availability: Availability): ModelChoice {
  const { input, name, quantization, keep, memoryBudgetBytes } = request;
  if (!isPicked(request) && availability.downloadBytes === 0)
    return storedChoice(availability.store.id, availability.model.name, memoryBudgetBytes);
  return {
    id: `${availability.store.id} ${quantization ?? ""}`,
    name,
    options: { model: input, quantization, memoryBudgetBytes, keep: keep ? "auto" : "never" },
  };
}

const KEY = "kleinbild-models";

type Remembered = Pick<ModelRequest, "name" | "quantization" | "memoryBudgetBytes"> & {
  readonly input: string | Readonly<Record<string, string>>;
};

/** Keeps how a stored model was asked for, so that an interrupted download can go on after a reload. */
export function rememberRequest(id: string, request: ModelRequest): void {
  if (isPicked(request)) return; // files cannot be kept; the same ones can be picked again
  const { input, name, quantization, memoryBudgetBytes } = request;
  write({ ...read(), [id]: { input: input as Remembered["input"], name, quantization, memoryBudgetBytes } });
}

export function forgetRequest(id: string): void {
  const { [id]: _, ...others } = read();
  write(others);
}

/** How a stored model was asked for, or, when that was not from this page, what its address and id tell. */
export function requestOf({ id, name, address }: StoredModel): ModelRequest | undefined {
  const remembered = read()[id];
  if (remembered) return { ...remembered, quantization: remembered.quantization, keep: true };
  if (!/^https?:\/\//.test(address)) return undefined;
  const [, quantization] = /-(q8|q4)-mse$/.exec(id) ?? [];
  return {
    input: address,
    name,
    quantization: quantization as Quantization | undefined,
    keep: true,
    memoryBudgetBytes: undefined,
  };
}

/** What is kept is this page's own. */
function read(): Readonly<Record<string, Remembered>> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, Remembered>;
  } catch {
    return {}; // no storage in this page
  }
}

function write(requests: Readonly<Record<string, Remembered>>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(requests));
  } catch {
    // full, or not allowed: a download can go on as long as the page is open
  }
}
