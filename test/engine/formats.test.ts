import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OrtBackend } from "../../runtime/backend/ort/ort-backend.ts";
import { LayeredSource } from "../../runtime/models/layered-source.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { LAYOUTS } from "../../runtime/weights/names/layouts.ts";
import { type OpenModel, openModel } from "../../runtime/weights/open-model.ts";
import { ENCODINGS } from "../../tools/synthesize/encodings.ts";
import { cosine } from "../support/compare.ts";
import { encodePart } from "../support/encoded-part.ts";
import { useGpu } from "../support/gpu.ts";
import { MemorySource } from "../support/model-files.ts";
import { NANO } from "../support/nano.ts";
import { velocityOf } from "../support/velocity.ts";

const FULL = process.env["KLEINBILD_FULL"] === "1";
const SIXTEEN_BITS = 0.9999;
/** Lowest cosine similarity of velocities with rounded block matrices, by bits per value. The test prints the actual one. */
const LEAST: readonly (readonly [RegExp, number])[] = [
  [/^(bf16|f16|f32|gguf-(F32|F16|BF16))$/, SIXTEEN_BITS],
  [/^(mlx-8-.*|gguf-(Q8_0|Q6_K))$/, 0.999],
  [/^(fp8-e4m3|mlx-6-.*|gguf-Q5.*)$/, 0.99],
  [/^(fp8-e5m2|mlx-4-.*|gguf-(Q4|IQ4).*)$/, 0.96],
  [/^(mlx-3-.*|gguf-Q3_K)$/, 0.8],
  // two bits by plain rounding: that it is read, the golden tensors show
  [/^(mlx-2-.*|gguf-(Q2_K|TQ2_0))$/, 0],
];
const leastOf = (encoding: string): number => LEAST.find(([pattern]) => pattern.test(encoding))![1];
/** One of a kind; all in the full run. */
const EVERYDAY = new Set(["f16", "fp8-e4m3", "mlx-4-64", "gguf-BF16", "gguf-Q4_0", "gguf-Q4_K", "gguf-Q8_0"]);
const encodings = Object.keys(ENCODINGS).filter((name) => FULL || EVERYDAY.has(name));

describe("klein-nano's transformer", () => {
  const gpu = useGpu();
  let nano: OpenModel;
  let others: FolderSource;
  let backend: OrtBackend;
  let expected: Float32Array;

  beforeAll(async () => {
    const source = new FolderSource(NANO);
    nano = await openModel(source);
    const paths = (await source.list()).filter((path) => !path.endsWith("diffusion_pytorch_model.safetensors"));
    const vae = "vae/diffusion_pytorch_model.safetensors";
    others = new FolderSource(Object.fromEntries([...paths, vae].map((path) => [path, `${NANO}/${path}`])));
    backend = await OrtBackend.create(gpu(), "f32");
    expected = await velocityOf(gpu(), backend, nano.stores.transformer, nano.config.transformer);
  });
  afterAll(() => backend.dispose());

  for (const encoding of encodings) {
    const { format } = ENCODINGS[encoding]!;
    const layouts =
      format === "gguf" ? (["bfl"] as const) : FULL ? LAYOUTS.transformer : (["diffusers", "bfl"] as const);
    for (const layout of layouts)
      it(`in ${encoding} under the names of ${layout} gives the same velocity`, async () => {
        const file = await encodePart(nano.config, "transformer", nano.stores.transformer, layout, encoding);
        const name = format === "gguf" ? "any.gguf" : "any.safetensors";
        const model = await openModel(new LayeredSource(new MemorySource({ [name]: file }), others));
        expect(model.recognition.parts.transformer).toMatchObject({ files: [name], format, naming: layout });
        const velocity = await velocityOf(gpu(), backend, model.stores.transformer, model.config.transformer);
        const similarity = cosine(velocity, expected);
        process.stderr.write(`${encoding} ${layout}: cosine ${similarity.toFixed(6)}\n`);
        expect(similarity).toBeGreaterThanOrEqual(leastOf(encoding));
      });
  }
});
