import {
  type GenerateRequest,
  type ImageMetadata,
  type ModelConfig,
  type SchedulerName,
  SCHEDULERS,
} from "../../runtime/index.ts";
import type { ComputeOptions } from "./engine-session.ts";
import { Observable } from "./observable.ts";

/** What the fields of the page say. Undefined: as the model or the engine has it. */
export interface Fields {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** Pixels, both or neither. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly steps: number | undefined;
  /** Decimal; of the next picture where it is locked, else of the last. */
  readonly seed: string;
  readonly seedLocked: boolean;
  readonly scheduler: SchedulerName;
  readonly guidance: number | undefined;
  readonly results: number | undefined;
  readonly backend: NonNullable<ComputeOptions["backend"]>;
  readonly dtype: ComputeOptions["dtype"];
  readonly live: boolean;
}

const DEFAULTS: Fields = {
  prompt: "a fox on a teal background",
  negativePrompt: "",
  width: undefined,
  height: undefined,
  steps: undefined,
  seed: "",
  seedLocked: false,
  scheduler: "Default",
  guidance: undefined,
  results: undefined,
  backend: "auto",
  dtype: undefined,
  live: false,
};
const STORAGE_KEY = "kleinbild-studio";

/** The fields, kept from visit to visit where the browser allows it. */
export class Settings extends Observable {
  #fields: Fields = { ...DEFAULTS, ...readStored() };

  get fields(): Fields {
    return this.#fields;
  }

  set(change: Partial<Fields>): void {
    this.#fields = { ...this.#fields, ...change };
    writeStored(this.#fields);
    this.changed();
  }

  /** A random seed for the next picture, unsigned and of 32 bits. */
  rollSeed(): void {
    this.set({ seed: String(crypto.getRandomValues(new Uint32Array(1))[0]), seedLocked: true });
  }

  /** Fills in how a picture was made, so that the next one is the same. */
  restore(made: ImageMetadata): void {
    this.set({
      prompt: made.prompt,
      negativePrompt: made.negativePrompt ?? "",
      width: made.width,
      height: made.height,
      steps: made.steps,
      seed: made.seed,
      seedLocked: true,
      scheduler: isScheduler(made.scheduler) ? made.scheduler : "Default",
      guidance: made.guidance,
      results: undefined,
    });
  }
}

/** What is asked of the engine, but for references and LoRAs. */
export function requestOf(fields: Fields, { distilled }: ModelConfig): GenerateRequest {
  const { prompt, negativePrompt, width, height, steps, seed, seedLocked, scheduler, guidance, results } = fields;
  return {
    prompt: prompt.trim(),
    width,
    height,
    steps,
    seed: seedLocked ? seed.trim() : undefined,
    scheduler,
    results,
    ...(distilled ? {} : { guidance, negativePrompt }),
  };
}

/** Of the fields that may be undefined. */
const OPTIONAL: Readonly<Record<string, "number" | "string">> = {
  width: "number",
  height: "number",
  steps: "number",
  guidance: "number",
  results: "number",
  dtype: "string",
};

/** Of an earlier visit. What is kept is this page's own, but may be of an older version: only known fields of the right type. */
function readStored(): Partial<Fields> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "{}");
    if (typeof stored !== "object" || stored === null) return {};
    return Object.fromEntries(Object.entries(stored).filter(([name, value]) => isOfField(name, value)));
  } catch {
    return {}; // no storage in this page: the defaults serve
  }
}

/** Other versions may have others. */
function isScheduler(name: unknown): name is SchedulerName {
  return typeof name === "string" && Object.hasOwn(SCHEDULERS, name);
}

function isOfField(name: string, value: unknown): boolean {
  if (name === "scheduler") return isScheduler(value);
  return Object.hasOwn(DEFAULTS, name) && typeof value === (OPTIONAL[name] ?? typeof DEFAULTS[name as keyof Fields]);
}

function writeStored(fields: Fields): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ ...fields, live: false }));
  } catch {
    // full, or not allowed: the settings last as long as the page
  }
}
