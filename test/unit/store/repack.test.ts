import { beforeAll, describe, expect, it } from "vitest";
import { defaultQuantization } from "../../../runtime/weights/default-quantization.ts";
import { FolderSource } from "../../../runtime/node/folder-source.ts";
import { inventory } from "../../../runtime/weights/inventory.ts";
import { type OpenModel, openModel } from "../../../runtime/weights/open-model.ts";
import { quantizeRows } from "../../../runtime/weights/quantize.ts";
import { repackModel } from "../../../runtime/weights/repack/repack-model.ts";
import { InMemoryBackend } from "../../../runtime/weights/store/in-memory-backend.ts";
import { ModelStore } from "../../../runtime/weights/store/model-store.ts";
import { expectSameBytes } from "../../support/compare.ts";
import { NANO } from "../../support/nano.ts";

const ABOUT = { name: "nano", address: "nano" };
const Q4 = { quantization: "q4", method: "mse" } as const;
const MATRIX = "transformer_blocks.0.attn.to_q.weight";
const FUSED = "single_transformer_blocks.0.attn.to_qkv_mlp_proj.weight";

describe("repackModel", () => {
  let nano: OpenModel;
  beforeAll(async () => {
    nano = await openModel(new FolderSource(NANO));
  });

  it.each(["q4", "q8"] as const)(
    "gives a model in %s with the same config, and nothing left to quantize",
    async (quantization) => {
      const store = new ModelStore(new InMemoryBackend());
      const reports = await store.write("packed", ABOUT, (writer) =>
        repackModel(nano, writer, { quantization, method: "mse" }),
      );
      const packed = await openModel(await store.source("packed"));
      expect(packed.config).toEqual(nano.config);
      expect(await packed.readTokenizer()).toEqual(await nano.readTokenizer());
      expect(defaultQuantization(nano)).toBe("none");
      expect(defaultQuantization(packed)).toBe(quantization);
      const bits = quantization === "q4" ? 4 : 8;
      for (const name of [MATRIX, FUSED]) {
        expect(packed.stores.transformer.packedFormat(name)).toBe(quantization);
        const values = await nano.stores.transformer.readAll(name);
        const [rows, columns] = inventory(nano.config, "transformer").find((tensor) => tensor.name === name)!.shape as [
          number,
          number,
        ];
        const expected = quantizeRows(values, rows, columns, bits, "mse");
        const stored = await packed.stores.transformer.readPacked(name, 0, rows);
        expectSameBytes(stored.packed, expected.packed);
        const worst = Math.max(...stored.scales.map((scale, i) => Math.abs(scale / expected.scales[i]! - 1)));
        expect(worst).toBeLessThan(2 ** -10); // they are f16
      }
      expect(reports.transformer!.relativeError).toBeGreaterThan(quantization === "q4" ? 0.07 : 0.004);
      expect(reports.transformer!.relativeError).toBeLessThan(quantization === "q4" ? 0.09 : 0.006);
      expect(reports.vae!.quantizedValues).toBe(0);
    },
  );

  it("keeps the values and type of tensors that lose too much by quantization", async () => {
    const store = new ModelStore(new InMemoryBackend());
    await store.write("packed", ABOUT, (writer) => repackModel(nano, writer, Q4));
    const packed = await openModel(await store.source("packed"));
    for (const part of ["transformer", "textEncoder", "vae"] as const)
      for (const { name, role } of inventory(nano.config, part).filter((tensor) => tensor.role !== "block")) {
        const [actual, expected] = [await packed.stores[part].readAll(name), await nano.stores[part].readAll(name)];
        expectSameBytes(actual, expected, `${role} ${name}`);
        expect(packed.stores[part].bytesOf(name)).toBe(nano.stores[part].bytesOf(name));
      }
  });

  it("goes on with the parts that are missing, and begins a half-written one again", async () => {
    const backend = new InMemoryBackend();
    const store = new ModelStore(backend);
    const abort = new AbortController();
    const reason = new Error("enough");
    const run = (signal?: AbortSignal): Promise<unknown> =>
      store.write("packed", ABOUT, (writer) =>
        repackModel(nano, writer, {
          ...Q4,
          signal,
          onProgress: (part) => {
            if (signal && part === "textEncoder") abort.abort(reason);
          },
        }),
      );
    await expect(run(abort.signal)).rejects.toBe(reason);
    const half = await store.find("packed");
    expect(half).toMatchObject({ complete: false });
    const weights = half!.files.map(({ path }) => path).filter((path) => path.endsWith(".safetensors"));
    expect(weights).toEqual(["transformer/diffusion_pytorch_model.safetensors"]);
    const again = await run();
    expect(Object.keys(again as object)).toEqual(["textEncoder", "vae"]);
    expect(await store.find("packed")).toMatchObject({ complete: true });
    expect((await openModel(await store.source("packed"))).config).toEqual(nano.config);
  });

  it("copies packed matrices", async () => {
    const store = new ModelStore(new InMemoryBackend());
    await store.write("packed", ABOUT, (writer) => repackModel(nano, writer, Q4));
    const packed = await openModel(await store.source("packed"));
    const reports = await store.write("again", ABOUT, (writer) => repackModel(packed, writer, Q4));
    expect(reports.transformer!.quantizedValues).toBe(0);
    const again = await openModel(await store.source("again"));
    const [twice, once] = [
      await again.stores.transformer.readAll(FUSED),
      await packed.stores.transformer.readAll(FUSED),
    ];
    expectSameBytes(twice, once);
  });
});
