import type { PixelImage } from "../image/pixels.ts";
import type { LoraUse, PipelineRequest } from "../pipeline/pipeline-request.ts";
import type { ResolvedRequest } from "./resolve-request.ts";
import { seededNoise } from "../sampling/noise.ts";
import { buildSigmas } from "../sampling/schedule.ts";
import { SCHEDULERS } from "../sampling/scheduler.ts";
import { compileSolver } from "../sampling/solver.ts";
import { PIXELS_PER_TOKEN } from "../vae/autoencoder.ts";
import type { ModelConfig } from "../weights/config/model-config.ts";

/** The input of the pipeline for a request. @param seeds  one for each picture */
export function resolveRun(
  request: ResolvedRequest,
  config: ModelConfig,
  references: readonly PixelImage[],
  loras: readonly LoraUse[],
  seeds: readonly bigint[],
): PipelineRequest {
  const { defaultSize } = config;
  const { width, height } = request.size ?? references[0] ?? { width: defaultSize, height: defaultSize };
  const grid = { width: width / PIXELS_PER_TOKEN, height: height / PIXELS_PER_TOKEN };
  const { solver, spacing } = SCHEDULERS[request.scheduler];
  const sigmas = buildSigmas({ tokens: grid.width * grid.height, steps: request.steps, spacing });
  const { inChannels } = config.transformer;
  return {
    ...request,
    width,
    height,
    program: compileSolver(solver, sigmas),
    noises: seeds.map((seed) => seededNoise(request.noise, seed, grid, inChannels)),
    references,
    loras,
  };
}
