import { assertFinite } from "../../runtime/gpu/finite.ts";
import { rowsPerChunk } from "../../runtime/loaded-model/rows-per-chunk.ts";
import { EmbeddingTable } from "../../runtime/text/embedding.ts";
import { TextEncoder } from "../../runtime/text/encoder.ts";
import { loadTextEncoderWeights } from "../../runtime/text/weights.ts";
import { WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import { Marks } from "./marks.ts";
import { matrixBytes, type ModelPart, type PartOptions } from "./model-part.ts";
import { seededWeights } from "./seeded-weights.ts";
import { textLayerWork } from "./work.ts";

/** One layer of the text encoder, including the lookup of token embeddings. */
export async function textPart({ gpu, config, scalar, backends }: PartOptions): Promise<ModelPart> {
  const store = seededWeights({ ...config, textLayers: [1] }, "textEncoder");
  const loader = new WeightLoader({ gpu, store, part: "textEncoder", scalar, quantization: "q4" });
  const layers = await loadTextEncoderWeights(loader, config.text, 1);
  const { qkv, attentionOut, gate, up, down } = layers[0]!;
  return {
    components: [
      {
        name: "text encoder layer",
        count: Math.max(...config.textLayers),
        inStep: false,
        weightBytes: matrixBytes([...qkv, attentionOut, gate, up, down]),
        work: ({ text }) => textLayerWork(config.text, text),
        unit: ({ text }) => `${text} tokens`,
      },
    ],
    run: async (name, { text }) => {
      using scope = gpu.memory.scope();
      const encoder = new TextEncoder({
        gpu,
        backend: backends[name],
        scalar,
        config: config.text,
        layers,
        stacked: [1],
        embedding: new EmbeddingTable(store, config.text.vocab, config.text.hidden),
        rowsPerChunk: rowsPerChunk(config, scalar, gpu.memory.maxBindingBytes),
      });
      const marks = await Marks.start(gpu);
      const ids = Int32Array.from({ length: text }, (_, i) => i);
      const states = await encoder.encode(scope, { ids, mask: new Int32Array(text).fill(1) });
      await marks.mark();
      await assertFinite(gpu, "the text encoder of the benchmark", states.chunks);
      return marks.seconds;
    },
    dispose: () => loader.dispose(),
  };
}
