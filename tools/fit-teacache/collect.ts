import { copyMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix } from "../../runtime/gpu/tensor.ts";
import type { LoadedModel } from "../../runtime/loaded-model/loaded-model.ts";
import { modulatedInput, measureRelativeChange } from "../../runtime/transformer/step-cache-measure.ts";
import type { Point } from "./polynomial.ts";
import { type Evaluation, sample, type SampleRequest } from "./sampler.ts";

/** Values of one guidance pass that TeaCache compares: the first block's modulated input and the velocity. */
interface Seen {
  readonly input: ChunkedMatrix;
  readonly output: ChunkedMatrix;
}

/**
 * Runs a request. Each pair of consecutive evaluations of a guidance pass gives a point: the relative change of the input (x)
 * and of the output (y).
 */
export async function collectChanges(
  model: LoadedModel,
  request: Omit<SampleRequest, "onEvaluation">,
): Promise<Point[]> {
  const points: Point[] = [];
  const previous = new Map<ChunkedMatrix, Seen>();
  const onEvaluation = async (evaluation: Evaluation): Promise<void> => {
    const { scope, text } = evaluation;
    const seen = {
      input: await firstInput(model, evaluation),
      output: copyMatrix(model.gpu.recorder, scope, evaluation.velocity),
    };
    const before = previous.get(text);
    if (before) {
      const x = await measureRelativeChange(model.gpu, seen.input, before.input);
      points.push({ x, y: await measureRelativeChange(model.gpu, seen.output, before.output) });
      scope.releaseMatrix(before.input, before.output);
    }
    previous.set(text, seen);
  };
  await sample(model, { ...request, onEvaluation });
  return points;
}

async function firstInput(model: LoadedModel, { scope, table, step, latents }: Evaluation): Promise<ChunkedMatrix> {
  const { gpu, transformer } = model;
  using pass = gpu.memory.scope();
  const modulation = table.allocate(pass);
  table.select(step, modulation);
  const hidden = await transformer.embed(pass, latents, transformer.weights.imageIn);
  const input = modulatedInput(gpu, scope, hidden, modulation.image[0], transformer.config.eps);
  await gpu.recorder.settle(); // before `pass` is freed
  return input;
}
