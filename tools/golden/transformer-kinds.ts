import type { HeadMajor } from "../../runtime/backend/attention.ts";
import type { MemoryScope } from "../../runtime/gpu/memory.ts";
import { readMatrix, writeMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import type { ChunkedMatrix, Tensor } from "../../runtime/gpu/tensor.ts";
import type { LoadedModel } from "../../runtime/loaded-model/loaded-model.ts";
import { Denoiser, computeReferenceKeysValues, type PassTrace } from "../../runtime/transformer/denoiser.ts";
import type { Stream, StreamRole } from "../../runtime/transformer/model.ts";
import { ModulationTable, type RawModulation } from "../../runtime/transformer/modulation.ts";
import { freeKeysValues, type ReferenceKeysValues } from "../../runtime/transformer/reference-cache.ts";
import type { Grid } from "../../runtime/transformer/rotary.ts";
import { f16ToF32 } from "../../runtime/weights/float.ts";
import { floats, type GoldenCase, type GoldenContext } from "./context.ts";
import type { GoldenTensor } from "./files.ts";
import type { Comparison } from "./judge.ts";

type TracedModel = Pick<LoadedModel, "gpu" | "transformer" | "rowsPerChunk">;
type Tensors = ReadonlyMap<string, GoldenTensor>;

/** Full attention over text, target and references. Compares the output of each block. */
export async function transformerKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  return compareTransformer(await context.model(golden), await context.tensors(golden), golden);
}

/** Compares a transformer with a case. */
export async function compareTransformer(
  model: TracedModel,
  tensors: Tensors,
  golden: GoldenCase,
): Promise<Comparison[]> {
  const grids = gridsOf(golden["references"]);
  const run = new TracedRun(model, tensors, [golden["sigma"] as number, 0], 0);
  return model.gpu.checked(golden.name, async () => {
    using scope = model.gpu.memory.scope();
    const references = grids.length > 0 ? { latents: run.rows(scope, "reference_latents"), grids } : undefined;
    const denoiser = await run.denoiser(scope, golden, { isolated: false, references });
    const velocity = await run.velocity(scope, denoiser, "latents", 0, true);
    return [...run.comparisons, { name: "velocity", actual: velocity, expected: floats(tensors, "velocity") }];
  });
}

/** Isolated references: keys and values are computed once and used at both sigmas. */
export async function transformerKvKind(context: GoldenContext, golden: GoldenCase): Promise<Comparison[]> {
  const model = await context.model(golden);
  const { gpu, transformer } = model;
  const tensors = await context.tensors(golden);
  const sigmas = [...(golden["sigmas"] as number[]), 0];
  const run = new TracedRun(model, tensors, sigmas, 1);
  return gpu.checked(golden.name, async () => {
    using scope = gpu.memory.scope();
    const references = { latents: run.rows(scope, "reference_latents"), grids: gridsOf(golden["references"]) };
    const table = await run.table(scope);
    const cached = await computeReferenceKeysValues({ gpu, model: transformer, table, sigmaZeroRow: 2 }, references);
    try {
      const denoiser = await run.denoiser(scope, golden, { isolated: true, references, cached });
      const velocity = await run.velocity(scope, denoiser, "latents", 0, false);
      const velocityCached = await run.velocity(scope, denoiser, "latents_cached", 1, true);
      return [
        ...(await keysValuesComparisons(model, cached, tensors)),
        ...run.comparisons,
        { name: "velocity", actual: velocity, expected: floats(tensors, "velocity") },
        { name: "velocity_cached", actual: velocityCached, expected: floats(tensors, "velocity_cached") },
      ];
    } finally {
      freeKeysValues(gpu.memory, cached);
    }
  });
}

/** A model and its inputs. Collects the inner tensors of a traced pass. */
class TracedRun {
  readonly comparisons: Comparison[] = [];
  readonly #model: TracedModel;
  readonly #tensors: Tensors;
  readonly #sigmas: readonly number[];
  readonly #tracedRow: number;
  #table: ModulationTable | undefined;

  constructor(model: TracedModel, tensors: Tensors, sigmas: readonly number[], tracedRow: number) {
    this.#model = model;
    this.#tensors = tensors;
    this.#sigmas = sigmas;
    this.#tracedRow = tracedRow;
  }

  async table(scope: MemoryScope): Promise<ModulationTable> {
    const { transformer } = this.#model;
    this.#table ??= await ModulationTable.create(transformer, {
      scope,
      sigmas: this.#sigmas,
      trace: (raw) => this.#traceModulation(raw),
    });
    return this.#table;
  }

  rows(scope: MemoryScope, name: string): ChunkedMatrix {
    const values = floats(this.#tensors, name);
    const columns = this.#tensors.get(name)!.shape.at(-1)!;
    const rows = scope.matrix(name, "f32", values.length / columns, columns, this.#model.rowsPerChunk);
    writeMatrix(this.#model.gpu.recorder, rows, values);
    return rows;
  }

  async denoiser(
    scope: MemoryScope,
    golden: GoldenCase,
    options: {
      isolated: boolean;
      references: { latents: ChunkedMatrix; grids: readonly Grid[] } | undefined;
      cached?: ReferenceKeysValues;
    },
  ): Promise<Denoiser> {
    const { gpu, transformer } = this.#model;
    return new Denoiser({
      gpu,
      model: transformer,
      scope,
      table: await this.table(scope),
      grid: gridsOf([golden["grid"]])[0]!,
      textLength: this.#tensors.get("text")!.shape[1]!,
      mode: options.isolated ? "exact" : "recompute",
      sigmaZeroRow: this.#sigmas.length - 1,
      ...options,
    });
  }

  async velocity(
    scope: MemoryScope,
    denoiser: Denoiser,
    latents: string,
    row: number,
    traced: boolean,
  ): Promise<Float32Array> {
    const { gpu, transformer } = this.#model;
    const text = await transformer.embed(scope, this.rows(scope, "text"), transformer.weights.textIn);
    const trace: PassTrace | undefined = traced
      ? (block, streams): Promise<void> => this.#traceBlock(block, streams)
      : undefined;
    return readMatrix(gpu.recorder, await denoiser.velocity(this.rows(scope, latents), text, row, { trace }));
  }

  async #traceModulation({ time, image, text, single }: RawModulation): Promise<void> {
    const names = {
      time_guidance_embed: time,
      double_stream_modulation_img: image,
      double_stream_modulation_txt: text,
      single_stream_modulation: single,
    };
    for (const [name, tensor] of Object.entries(names)) this.#compare(name, await this.#tableRow(tensor));
  }

  async #tableRow(tensor: Tensor): Promise<Float32Array> {
    const width = tensor.shape[1]!;
    const values = await this.#model.gpu.recorder.readF32(tensor);
    return values.subarray(this.#tracedRow * width, (this.#tracedRow + 1) * width);
  }

  async #traceBlock(block: string, streams: readonly Stream[]): Promise<void> {
    const { recorder } = this.#model.gpu;
    const rows = async (...roles: StreamRole[]): Promise<number[]> => {
      const values: number[] = [];
      for (const role of roles) {
        const stream = streams.find((candidate) => candidate.role === role);
        if (stream) values.push(...(await readMatrix(recorder, stream.hidden)));
      }
      return values;
    };
    if (block.startsWith("double")) {
      this.#compare(`block.${block}.img`, await rows("target", "reference"));
      this.#compare(`block.${block}.txt`, await rows("text"));
    } else this.#compare(`block.${block}`, await rows("text", "target", "reference"));
  }

  /** Compares the tensors that the case expects. */
  #compare(name: string, actual: ArrayLike<number>): void {
    if (this.#tensors.has(name)) this.comparisons.push({ name, actual, expected: floats(this.#tensors, name) });
  }
}

async function keysValuesComparisons(
  model: TracedModel,
  cached: ReferenceKeysValues,
  tensors: Tensors,
): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  const { doubleBlocks } = model.transformer.config;
  for (const [i, block] of cached.blocks.entries()) {
    const name = i < doubleBlocks ? `kv.double.${i}` : `kv.single.${i - doubleBlocks}`;
    for (const [half, letter] of ["k", "v"].entries())
      comparisons.push({
        name: `${name}.${letter}`,
        actual: await tokenMajor(model, block, half, cached.tokens),
        expected: floats(tensors, `${name}.${letter}`),
      });
  }
  return comparisons;
}

/** Keys (half 0) or values (half 1) as [tokens, heads, headDim]. */
async function tokenMajor(
  model: TracedModel,
  { capacity, groups }: HeadMajor,
  half: number,
  tokens: number,
): Promise<Float32Array> {
  const { heads, headDim } = model.transformer.config;
  const out = new Float32Array(tokens * heads * headDim);
  let firstHead = 0;
  for (const group of groups) {
    const bytes = await model.gpu.recorder.read(group);
    const values = group.dtype === "f16" ? f16ToF32(new Uint16Array(bytes)) : new Float32Array(bytes);
    const groupHeads = group.shape[1]!;
    for (let head = 0; head < groupHeads; head++)
      for (let token = 0; token < tokens; token++) {
        const at = ((half * groupHeads + head) * capacity + token) * headDim;
        out.set(values.subarray(at, at + headDim), (token * heads + firstHead + head) * headDim);
      }
    firstHead += groupHeads;
  }
  return out;
}

function gridsOf(value: unknown): Grid[] {
  return (value as readonly (readonly [number, number])[]).map(([height, width]) => ({ height, width }));
}
