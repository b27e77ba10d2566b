import type { RunReport } from "../../../runtime/index.ts";
import type { Picture } from "../../../demo/state/picture.ts";
import type { Job, Order } from "../../../demo/state/run-queue.ts";

const REPORT: RunReport = {
  model: "klein-nano",
  backend: "wgsl",
  dtype: "f32",
  quantization: "none",
  seed: "42",
  noise: "counter",
  steps: 4,
  scheduler: "Default",
  guidance: null,
  loras: [],
  passes: { total: 4, skipped: 0 },
  referenceCache: { hit: false, hits: 0, misses: 0, evictions: 0, entries: 0, bytes: 0, budgetBytes: 2 ** 30 },
  timings: { prompt: 20, steps: 400, decode: 80, total: 500 },
  memory: { currentBytes: 2 ** 24, peakBytes: 2 ** 25, byCategory: {} },
  adapter: {
    vendor: "mesa",
    architecture: "",
    device: "",
    description: "llvmpipe",
    software: true,
    f16: false,
    subgroups: true,
    timestamps: true,
    maxBindingBytes: 2 ** 27,
    maxBufferBytes: 2 ** 28,
  },
  warnings: [],
};

/** A picture of the gallery. @param report  what its report has otherwise */
export function fakePicture(change: Partial<Omit<Picture, "report">> = {}, report: Partial<RunReport> = {}): Picture {
  return {
    id: crypto.randomUUID(),
    created: 0,
    file: new Blob([], { type: "image/png" }),
    metadata: {
      software: "Kleinbild",
      model: "klein-nano",
      prompt: "a fox",
      seed: "42",
      noise: "counter",
      steps: 4,
      width: 128,
      height: 128,
    },
    request: { prompt: "a fox" },
    references: [],
    report: { ...REPORT, ...report },
    ...change,
  };
}

export function fakeJob(change: Partial<Job> = {}, order: Partial<Order> = {}): Job {
  return {
    id: 1,
    order: {
      prompt: "a fox",
      request: () => ({ prompt: "a fox" }),
      references: [],
      loras: [],
      live: false,
      ...order,
    },
    status: "running",
    stage: { status: "Step 1 of 4", done: 1, of: 6 },
    pictures: [],
    ...change,
  };
}
