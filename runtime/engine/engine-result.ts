import type { BackendsByOperator } from "../backend/operators.ts";
import type { RunReport } from "../events.ts";
import type { ImageMetadata } from "../image/metadata.ts";
import type { PixelImage } from "../image/pixels.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PictureEvent } from "../pipeline/run-pipeline.ts";
import type { PipelineRequest } from "../pipeline/pipeline-request.ts";
import type { ResolvedRequest } from "../request/resolve-request.ts";

/** A finished picture, and how it came about. */
export interface EngineResult {
  readonly type: "result";
  /** Which of the request's pictures, from 0. */
  readonly result: number;
  readonly image: PixelImage;
  readonly metadata: ImageMetadata;
  readonly report: RunReport;
}

const SOFTWARE = "kleinbild";

/** @param seed  of this picture */
export function describeResult(
  model: Pick<LoadedModel, "config" | "gpu" | "backends" | "scalar" | "quantization" | "referenceCache">,
  request: ResolvedRequest,
  run: PipelineRequest,
  picture: PictureEvent,
  seed: bigint,
): EngineResult {
  const { config, gpu } = model;
  const { prompt, negativePrompt, steps, scheduler, guidance, noise, acceleration } = request;
  const { width, height, program, loras, references } = run;
  const { result, image, timings, cacheHit, skipped, warnings } = picture;
  const decimalSeed = seed.toString();
  const metadata = {
    software: SOFTWARE,
    model: config.name,
    prompt,
    ...(guidance === null ? {} : { negativePrompt, guidance }),
    seed: decimalSeed,
    noise,
    steps,
    ...(scheduler === "Default" ? {} : { scheduler }),
    ...(acceleration === undefined
      ? {}
      : { acceleration: typeof acceleration === "string" ? acceleration : { ...acceleration } }),
    ...(loras.length === 0
      ? {}
      : { loras: loras.map(({ file, weight, stages }) => ({ name: file.name, weight, stages })) }),
    width,
    height,
  };
  const report = {
    model: config.name,
    backend: backendName(model.backends),
    dtype: model.scalar,
    quantization: model.quantization,
    seed: decimalSeed,
    noise,
    steps,
    scheduler,
    guidance,
    loras: loras.map(({ file }) => file.name),
    passes: { total: program.length * (guidance === null ? 1 : 2), skipped },
    ...(references.length > 0 ? { referenceMode: request.referenceMode } : {}),
    referenceCache: { hit: cacheHit, ...model.referenceCache.statistics },
    timings,
    memory: gpu.memory.report(),
    adapter: gpu.adapter,
    warnings,
  };
  return { type: "result", result, image, metadata, report };
}

function backendName(backends: BackendsByOperator): RunReport["backend"] {
  const [first, ...others] = new Set(Object.values(backends));
  return others.length === 0 ? first! : "mixed";
}
