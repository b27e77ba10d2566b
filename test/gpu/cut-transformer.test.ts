import { describe, expect, it, vi } from "vitest";
import { CutTransformer } from "../../bench/blocks/cut-transformer.ts";
import { createBackend } from "../../runtime/backend/create-backend.ts";
import { readMatrix } from "../../runtime/gpu/chunked-matrix.ts";
import { assertFinite } from "../../runtime/gpu/finite.ts";
import { Denoiser, computeReferenceKeysValues } from "../../runtime/transformer/denoiser.ts";
import { ModulationTable } from "../../runtime/transformer/modulation.ts";
import { freeKeysValues } from "../../runtime/transformer/reference-cache.ts";
import { SMALL_CONFIG } from "../support/model-config.ts";
import { useGpu } from "../support/gpu.ts";

const GRID = { width: 3, height: 2 };
const TOKENS = 6;
const TEXT = 5;

describe("a transformer of one double block and one single block, repeated", () => {
  const gpu = useGpu();

  it("runs the references pass and a step with what it keeps, telling of every block", async () => {
    const backend = await createBackend("wgsl", gpu(), "f32");
    const traced: string[] = [];
    const trace = async (block: string): Promise<void> => void traced.push(block);
    await gpu().checked("test", async () => {
      const cut = await CutTransformer.load(gpu(), SMALL_CONFIG, "f32");
      const model = cut.model(backend, 2);
      using scope = gpu().memory.scope();
      const { transformer } = SMALL_CONFIG;
      const table = await ModulationTable.create(model, { scope, sigmas: [1, 0] });
      const references = { latents: cut.input(scope, TOKENS, transformer.inChannels), grids: [GRID] };
      const common = { gpu: gpu(), model, table, sigmaZeroRow: 1 };
      const cached = await computeReferenceKeysValues(common, references, { trace });
      // the last block ends with its keys and values
      expect(traced.splice(0)).toEqual(["double.0", "single.0", "single.1"]);
      expect(cached.blocks).toHaveLength(3);
      await assertFinite(
        gpu(),
        "the references pass",
        cached.blocks.flatMap(({ groups }) => groups),
      );

      const denoiser = new Denoiser({
        ...common,
        scope,
        grid: GRID,
        textLength: TEXT,
        mode: "exact",
        isolated: true,
        cached,
      });
      const text = await model.embed(scope, cut.input(scope, TEXT, transformer.textWidth), model.weights.textIn);
      const latents = cut.input(scope, TOKENS, transformer.inChannels);
      const velocity = await denoiser.velocity(latents, text, 0, { trace });
      expect(traced).toEqual(["double.0", "single.0", "single.1"]);
      await assertFinite(gpu(), "the step", velocity.chunks);

      // nobody reads the text's rows after the last block, so that without a trace it leaves them as they are
      const dispatch = vi.spyOn(gpu().recorder, "dispatch");
      const attentions = (): number => dispatch.mock.calls.filter(([{ name }]) => name === "attention").length;
      const untraced = await denoiser.velocity(latents, text, 0);
      expect(attentions()).toBe(2 + 2 + 1);
      dispatch.mockRestore();
      expect(await readMatrix(gpu().recorder, untraced)).toEqual(await readMatrix(gpu().recorder, velocity));
      freeKeysValues(gpu().memory, cached);
      cut.dispose();
    });
    await backend.dispose();
  });
});
