import { expect, it } from "vitest";
import { Engine } from "../../runtime/engine/engine.ts";
import { dawnGpu } from "../../runtime/node/dawn.ts";
import { NodeImageCodec } from "../../runtime/node/sharp-image-codec.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { readSafetensorsHeader } from "../../runtime/weights/formats/safetensors-header.ts";
import type { ModelFile } from "../../runtime/weights/sources/model-source.ts";
import { NANO, runEngine, TINY } from "../support/nano.ts";

const VAE = "vae/diffusion_pytorch_model.safetensors";
/** Latents of this deviation are beyond f16; the autoencoder's first normalisation brings them back. */
const HUGE_VARIANCE_BF16 = 0x5368; // 1e12

/** klein-nano whose latents are denormalised by a far too large variance. */
class OverflowingSource extends FolderSource {
  override async open(path: string): Promise<ModelFile> {
    const file = await super.open(path);
    if (path !== VAE) return file;
    const variance = (await readSafetensorsHeader(file, path)).tensors.get("bn.running_var")!;
    if (variance.type !== "BF16") throw new Error(`the variance is ${variance.type}, not BF16`);
    return {
      size: file.size,
      read: async (offset, length, signal) => {
        const bytes = await file.read(offset, length, signal);
        const view = new DataView(bytes.buffer);
        for (let at = variance.offset; at < variance.offset + variance.bytes; at += 2)
          if (at >= offset && at + 2 <= offset + length) view.setUint16(at - offset, HUGE_VARIANCE_BF16, true);
        return bytes;
      },
    };
  }
}

it("a run that overflows f16 is run again in f32, with a warning, and gives a picture", async () => {
  const platform = { gpu: await dawnGpu(), codec: new NodeImageCodec() };
  const engine = await Engine.create(platform, new OverflowingSource(NANO), {
    dtype: "f16",
    backend: "wgsl",
    warmUp: false,
  });
  const { report, image } = await runEngine(engine, TINY);
  expect(report.dtype).toBe("f32");
  expect(report.warnings).toEqual(["f16 overflowed; the model was loaded again in f32 and the request run again."]);
  expect(new Set(image.data).size).toBeGreaterThan(10);
  expect((await runEngine(engine, TINY)).report.warnings).toEqual([]); // it stays in f32
  await engine.dispose();
});
