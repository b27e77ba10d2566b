import { BACKENDS } from "../../runtime/backend/backend.ts";
import { Engine } from "../../runtime/engine/engine.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import type { ReferenceMode } from "../../runtime/transformer/denoiser.ts";
import type { BenchCase, CaseRun } from "../bench-case.ts";
import type { BenchModel } from "../platform.ts";
import { figure } from "../statistics.ts";
import { makePicture, patternPicture } from "./engines.ts";

/** Pictures to time with one model on both backends. */
interface PictureSet {
  readonly model: BenchModel;
  readonly quantization: "none" | "q4";
  readonly cells: readonly Cell[];
}

interface Cell {
  readonly width: number;
  readonly height: number;
  readonly references: number;
  /** Absent without references. */
  readonly mode?: ReferenceMode;
}

/** Seconds of each picture of a cell, and the peak of GPU memory. */
interface Times {
  readonly total: number[];
  readonly firstStep: number[];
  readonly steps: number[];
  readonly decode: number[];
  peakBytes: number;
}

interface TimedEngine {
  readonly engine: Engine;
  readonly loadSeconds: number;
}

const PROMPT = "a fox on a teal background";
const SIDE = 128;
const TINY_SIDE = 64;
/** Sizes that klein-nano was trained at. */
const SIZES = [
  [128, 128],
  [192, 128],
  [128, 192],
  [192, 192],
] as const;
const REFERENCES = [1, 2, 4];
/** Modes that both models support. `step-one` is for weights that were not trained for isolated references. */
const MODES = ["exact", "recompute"] as const satisfies readonly ReferenceMode[];
/** Rounds on adapters that run on the CPU, where a picture takes seconds. */
const SOFTWARE_REPEATS = 2;

const square = { width: SIDE, height: SIDE };
const plain: Cell = { ...square, references: 0 };

/** 128 × 128: without references, with two cached ones, and with two that are computed in every step. */
export const defaultPictures: BenchCase = (run) =>
  timeSets(run, [
    {
      model: "klein-nano",
      quantization: "none",
      cells: [plain, { ...square, references: 2, mode: "exact" }, { ...square, references: 2, mode: "recompute" }],
    },
    { model: "klein-nano", quantization: "q4", cells: [plain] },
  ]);

/** All sizes, reference counts and reference modes. */
export const allPictures: BenchCase = (run) =>
  timeSets(run, [
    {
      model: "klein-nano",
      quantization: "none",
      cells: SIZES.flatMap(([width, height]) => cellsOf({ width, height })),
    },
    { model: "klein-nano", quantization: "q4", cells: [plain] },
  ]);

/** The undistilled model with its default steps and guidance. */
export const basePictures: BenchCase = (run) =>
  timeSets(run, [{ model: "klein-nano-base", quantization: "none", cells: cellsOf(square) }]);

function cellsOf(size: Pick<Cell, "width" | "height">): readonly Cell[] {
  const edits = REFERENCES.flatMap((references) => MODES.map((mode) => ({ ...size, references, mode })));
  return [{ ...size, references: 0 }, ...edits];
}

async function timeSets(run: CaseRun, sets: readonly PictureSet[]): Promise<void> {
  for (const [i, set] of sets.entries()) {
    if (i > 0 && !run.hasTime()) return;
    const engines: TimedEngine[] = [];
    try {
      const dtype = await run.withGpu({}, async (gpu) => {
        const wanted = run.choice.dtype ?? (gpu.adapter.software ? "f32" : undefined);
        return gpu.scalarType(wanted);
      });
      for (const backend of BACKENDS) {
        const started = performance.now();
        const options = { backend, dtype, quantization: set.quantization };
        const source = run.platform.openModel(set.model);
        const engine = await Engine.create(run.platform, source, options, { signal: run.signal });
        engines.push({ engine, loadSeconds: (performance.now() - started) / 1000 });
      }
      for (const cell of set.cells) if (run.rows.length === 0 || run.hasTime()) await timeCell(run, engines, cell);
    } finally {
      for (const { engine } of engines) await engine.dispose();
    }
  }
}

async function timeCell(run: CaseRun, engines: readonly TimedEngine[], asked: Cell): Promise<void> {
  const isTiny = run.choice.shapes === "tiny";
  const cell = isTiny ? { ...asked, width: TINY_SIDE, height: TINY_SIDE } : asked;
  const request: GenerateRequest = {
    prompt: PROMPT,
    width: cell.width,
    height: cell.height,
    ...(isTiny && { steps: 1 }),
    references: Array.from({ length: cell.references }, (_, i) => patternPicture(isTiny ? TINY_SIDE : SIDE, i)),
    referenceMode: cell.mode,
  };
  const times = engines.map(() => [emptyTimes(), emptyTimes()] as const);
  const { software } = engines[0]!.engine.info.adapter;
  const repeats = software ? Math.min(SOFTWARE_REPEATS, run.choice.repeats) : run.choice.repeats;
  // the first request compiles shaders and encodes prompt and references; at least one repeated request follows
  for (let round = 0; round <= repeats && (round < 2 || run.hasTime()); round++)
    for (const [i, { engine }] of engines.entries()) {
      const [first, repeated] = times[i]!;
      await timePicture(run, engine, { ...request, seed: round }, round === 0 ? first : repeated);
    }
  for (const [i, timed] of engines.entries()) addRows(run, cell, timed, times[i]!);
}

async function timePicture(run: CaseRun, engine: Engine, request: GenerateRequest, times: Times): Promise<void> {
  const started = performance.now();
  let firstStep: number | undefined;
  const { report } = await makePicture(run, engine, request, ({ type }) => {
    if (type === "step") firstStep ??= performance.now() - started;
  });
  const { timings, memory } = report;
  times.total.push((performance.now() - started) / 1000);
  times.firstStep.push((firstStep ?? 0) / 1000);
  times.steps.push((timings.steps ?? 0) / 1000);
  times.decode.push((timings.decode ?? 0) / 1000);
  times.peakBytes = Math.max(times.peakBytes, memory.peakBytes);
}

function addRows(run: CaseRun, cell: Cell, { engine, loadSeconds }: TimedEngine, requests: readonly Times[]): void {
  const { backends, scalar, quantization, config } = engine.model;
  for (const [i, { total, firstStep, steps, decode, peakBytes }] of requests.entries())
    run.addRow({
      labels: {
        model: config.name,
        size: `${cell.width} × ${cell.height}`,
        references: String(cell.references),
        mode: cell.mode ?? "–",
        weights: quantization === "none" ? scalar : quantization,
        type: scalar,
        backend: backends.plain,
        request: i === 0 ? "first" : "repeated",
      },
      figures: {
        ...(i === 0 ? { load: { value: loadSeconds, unit: "s" } } : {}),
        total: figure(total, "s"),
        "to the first step": figure(firstStep, "s"),
        steps: figure(steps, "s"),
        decode: figure(decode, "s"),
        "peak of memory": { value: peakBytes / 1e6, unit: "MB" },
      },
    });
}

function emptyTimes(): Times {
  return { total: [], firstStep: [], steps: [], decode: [], peakBytes: 0 };
}
