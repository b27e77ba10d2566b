import type { Platform } from "../../runtime/engine/engine.ts";
import type { EngineOptions } from "../../runtime/engine/engine-options.ts";
import { type GoldenCase, GoldenContext } from "./context.ts";
import type { GoldenFiles } from "./files.ts";
import { type Comparison, judge, type Tolerance, type Verdict } from "./judge.ts";
import { loraKind } from "./lora-kind.ts";
import { scheduleKind, textKind, tokenizerKind, torchNoiseKind, vaeKind } from "./part-kinds.ts";
import { imageKind, pipelineKind } from "./picture-kinds.ts";
import { solverKind } from "./solver-kind.ts";
import { transformerKind, transformerKvKind } from "./transformer-kinds.ts";
import { floatFormatsKind, weightsKind } from "./weight-kinds.ts";

type Kind = (context: GoldenContext, golden: GoldenCase) => Promise<Comparison[]>;

const KINDS: Readonly<Record<string, Kind>> = {
  transformer: transformerKind,
  "transformer.kv": transformerKvKind,
  text: textKind,
  vae: vaeKind,
  pipeline: pipelineKind,
  lora: loraKind,
  schedule: scheduleKind,
  solver: solverKind,
  "noise.torch": torchNoiseKind,
  image: imageKind,
  tokenizer: tokenizerKind,
  gguf: weightsKind,
  mlx: weightsKind,
  fp8: weightsKind,
  "float-formats": floatFormatsKind,
};

/** Kinds of the contract that are not implemented yet. The list only shrinks. */
export const PENDING: ReadonlySet<string> = new Set(["inpaint"]);

/** Kinds that run the network; the others give the same whatever backend and precision. */
export const NETWORK_KINDS: ReadonlySet<string> = new Set([
  "transformer",
  "transformer.kv",
  "text",
  "vae",
  "pipeline",
  "inpaint",
  "lora",
]);
/** What is asked of the network in f16. */
const F16_TOLERANCE: Tolerance = { cosine: 0.999, imageMaxAbs: 0.05 };

export interface GoldenOutcome {
  /** Name, kind, cosine, largest error, and `ok`, `FAILED` or `pending`. */
  readonly line: string;
  /** Undefined for a pending kind. */
  readonly passed?: boolean;
}

/** Runs cases of a folder, with one engine per model. */
export class GoldenRunner {
  readonly #context: GoldenContext;
  readonly #dtype: "f32" | "f16";

  /** @param engine  further options of the engine, for example the binding limit */
  constructor(files: GoldenFiles, platform: Platform, dtype: "f32" | "f16", engine: EngineOptions = {}) {
    this.#context = new GoldenContext(files, platform, { ...engine, dtype });
    this.#dtype = dtype;
  }

  async run(name: string): Promise<GoldenOutcome> {
    let kind = "?";
    try {
      const golden = await this.#context.case(name);
      kind = golden.kind;
      if (PENDING.has(kind)) return { line: `${name} ${kind} pending` };
      const run = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
      if (!run) throw new Error("unknown kind");
      const tolerance = this.#dtype === "f16" && NETWORK_KINDS.has(kind) ? F16_TOLERANCE : golden.tolerance;
      const verdict = judge(await run(this.#context, golden), tolerance);
      return { line: describe(name, kind, verdict), passed: verdict.passed };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { line: `${name} ${kind} FAILED: ${message}`, passed: false };
    }
  }

  /** Frees the engines. */
  async dispose(): Promise<void> {
    await this.#context.dispose();
  }
}

function describe(name: string, kind: string, { passed, cosine, maxAbs, failures }: Verdict): string {
  const figures = `${name} ${kind} cosine ${cosine.toFixed(7)} max abs ${maxAbs.toExponential(2)}`;
  return passed ? `${figures} ok` : `${figures} FAILED: ${failures.slice(0, 3).join("; ")}`;
}
