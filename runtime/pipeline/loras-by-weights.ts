import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { LoraStages, LoraUse, PipelineRequest } from "./pipeline-request.ts";
import { adapterKey } from "../transformer/adapters.ts";

/** The least sigma of the high-noise stage: where Wan 2.2, whose API names the stages, changes from one model to the other. */
const HIGH_STAGE_SIGMA = 0.875;

/** The key of the weights of each evaluation of a run. It differs from set of weights to set of weights. */
export function weightsKeys(
  { fingerprint }: Pick<LoadedModel, "fingerprint">,
  { program, loras }: Pick<PipelineRequest, "program" | "loras">,
): readonly string[] {
  return program.map(({ sigma }) => `${fingerprint} ${adapterKey(lorasAt(loras, sigma))}`);
}

/** The LoRAs of each set of weights that a run goes through, by the key of the weights. */
export function lorasByWeights(
  model: Pick<LoadedModel, "fingerprint">,
  request: Pick<PipelineRequest, "program" | "loras">,
): ReadonlyMap<string, readonly LoraUse[]> {
  const keys = weightsKeys(model, request);
  return new Map(request.program.map(({ sigma }, i) => [keys[i]!, lorasAt(request.loras, sigma)]));
}

function lorasAt(loras: readonly LoraUse[], sigma: number): readonly LoraUse[] {
  return loras.filter(({ stages }) => actsAt(stages, sigma));
}

function actsAt(stages: LoraStages, sigma: number): boolean {
  return stages === "both" || (stages === "high") === sigma >= HIGH_STAGE_SIGMA;
}
