import type { EngineOptions, Platform } from "../../runtime/engine.ts";
import { type GoldenCase, GoldenContext } from "./context.ts";
import type { GoldenFiles } from "./files.ts";
import { type Comparison, judge, type Tolerance, type Verdict } from "./judge.ts";
import { scheduleKind, textKind, tokenizerKind, torchNoiseKind, vaeKind } from "./part-kinds.ts";
import { imageKind, pipelineKind } from "./picture-kinds.ts";
import { transformerKind, transformerKvKind } from "./transformer-kinds.ts";

type Kind = (context: GoldenContext, golden: GoldenCase) => Promise<Comparison[]>;

const KINDS: Readonly<Record<string, Kind>> = {
  transformer: transformerKind,
  "transformer.kv": transformerKvKind,
  text: textKind,
  vae: vaeKind,
  pipeline: pipelineKind,
  schedule: scheduleKind,
  "noise.torch": torchNoiseKind,
  image: imageKind,
  tokenizer: tokenizerKind,
};

/** Kinds of the contract that are not built yet; the list only shrinks. */
const PENDING: ReadonlySet<string> = new Set(["inpaint", "lora", "solver", "gguf", "mlx", "fp8", "float-formats"]);

/** Kinds that run the network, and what is asked of them in f16. */
const NETWORK_KINDS: ReadonlySet<string> = new Set([
  "transformer",
  "transformer.kv",
  "text",
  "vae",
  "pipeline",
  "inpaint",
  "lora",
]);
const F16_TOLERANCE: Tolerance = { cosine: 0.999, imageMaxAbs: 0.05 };

export interface GoldenRunOptions {
  readonly dtype: "f32" | "f16";
  /** Part of the names of the cases to run. */
  readonly only?: string | undefined;
  /** Further options for the engine: the binding limit, for example. */
  readonly engine?: EngineOptions;
}

export interface GoldenSummary {
  readonly passed: number;
  readonly failed: number;
}

/** Runs the cases of a folder, a line each through `print`. */
export async function runGoldens(
  files: GoldenFiles,
  platform: Platform,
  { dtype, only = "", engine = {} }: GoldenRunOptions,
  print: (line: string) => void,
): Promise<GoldenSummary> {
  const context = new GoldenContext(files, platform, { ...engine, dtype });
  let passed = 0;
  let failed = 0;
  try {
    for (const name of files.cases.filter((candidate) => candidate.includes(only))) {
      const outcome = await runCase(context, name, dtype);
      print(outcome.line);
      if (outcome.passed === true) passed++;
      if (outcome.passed === false) failed++;
    }
  } finally {
    await context.dispose();
  }
  return { passed, failed };
}

async function runCase(
  context: GoldenContext,
  name: string,
  dtype: "f32" | "f16",
): Promise<{ readonly line: string; readonly passed?: boolean }> {
  let kind = "?";
  try {
    const golden = await context.case(name);
    kind = golden.kind;
    if (PENDING.has(kind)) return { line: `${name} ${kind} pending` };
    const run = KINDS[kind];
    if (!run) throw new Error(`unknown kind ${kind}`);
    const tolerance = dtype === "f16" && NETWORK_KINDS.has(kind) ? F16_TOLERANCE : golden.tolerance;
    const verdict = judge(await run(context, golden), tolerance);
    return { line: describe(name, kind, verdict), passed: verdict.passed };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { line: `${name} ${kind} FAILED: ${message}`, passed: false };
  }
}

function describe(name: string, kind: string, { passed, cosine, maxAbs, failures }: Verdict): string {
  const figures = `${name} ${kind} cosine ${cosine.toFixed(7)} max abs ${maxAbs.toExponential(2)}`;
  return passed ? `${figures} ok` : `${figures} FAILED: ${failures.slice(0, 3).join("; ")}`;
}
