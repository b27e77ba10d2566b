import { describe, expect, it } from "vitest";
import { inventory, type WeightPart } from "../../../runtime/weights/inventory.ts";
import { type Layout, LAYOUTS, type LayoutTensor, layoutTensors } from "../../../runtime/weights/names/layouts.ts";
import type { ModelConfig } from "../../../runtime/weights/config/model-config.ts";
import { KLEIN_4B, KLEIN_4B_SMALL_DECODER, KLEIN_9B } from "../../../bench/klein-configs.ts";
import { SMALL_CONFIG } from "../../support/model-config.ts";

const product = (shape: readonly number[]): number => shape.reduce((result, size) => result * size, 1);
const values = (tensors: readonly { readonly shape: readonly number[] }[]): number =>
  tensors.reduce((sum, { shape }) => sum + product(shape), 0);
const shapes = (tensors: readonly LayoutTensor[]): Record<string, readonly number[]> =>
  Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));

const EVERY = (Object.keys(LAYOUTS) as WeightPart[]).flatMap((part) =>
  LAYOUTS[part].map((layout): [WeightPart, Layout] => [part, layout]),
);
const CONFIGS: Readonly<Record<string, ModelConfig>> = { KLEIN_4B, KLEIN_9B, KLEIN_4B_SMALL_DECODER, SMALL_CONFIG };

describe("layoutTensors", () => {
  for (const [config, layout, count] of [
    [KLEIN_4B, "bfl", 149],
    [KLEIN_9B, "bfl", 201],
    [KLEIN_4B, "diffusers", 169],
    [KLEIN_9B, "diffusers", 233],
    [KLEIN_4B, "diffusers-fused", 149],
  ] as const)
    it(`gives the ${count} tensors of ${config.name}'s transformer in ${layout}`, () => {
      expect(layoutTensors(config, "transformer", layout)).toHaveLength(count);
    });

  for (const config of [KLEIN_4B, KLEIN_9B])
    it(`gives the shapes that BFL's files of ${config.name} have`, () => {
      const D = config.transformer.hidden;
      const block = { "norm.query_norm.scale": [128], "norm.key_norm.scale": [128] };
      const stream = (name: string): Record<string, number[]> => ({
        [`${name}_attn.qkv.weight`]: [3 * D, D],
        [`${name}_attn.norm.query_norm.scale`]: [128],
        [`${name}_attn.norm.key_norm.scale`]: [128],
        [`${name}_attn.proj.weight`]: [D, D],
        [`${name}_mlp.0.weight`]: [6 * D, D],
        [`${name}_mlp.2.weight`]: [D, 3 * D],
      });
      const single = { "linear1.weight": [9 * D, D], "linear2.weight": [D, 4 * D], ...block };
      const { doubleBlocks, singleBlocks, textWidth } = config.transformer;
      const under = (list: string, count: number, tensors: Record<string, number[]>): [string, number[]][] =>
        Array.from({ length: count }, (_, i) => i).flatMap((i) =>
          Object.entries(tensors).map(([name, shape]): [string, number[]] => [`${list}.${i}.${name}`, shape]),
        );
      expect(shapes(layoutTensors(config, "transformer", "bfl"))).toEqual({
        "img_in.weight": [D, 128],
        "txt_in.weight": [D, textWidth],
        "time_in.in_layer.weight": [D, 256],
        "time_in.out_layer.weight": [D, D],
        "double_stream_modulation_img.lin.weight": [6 * D, D],
        "double_stream_modulation_txt.lin.weight": [6 * D, D],
        "single_stream_modulation.lin.weight": [3 * D, D],
        "final_layer.adaLN_modulation.1.weight": [2 * D, D],
        "final_layer.linear.weight": [128, D],
        ...Object.fromEntries(under("double_blocks", doubleBlocks, { ...stream("img"), ...stream("txt") })),
        ...Object.fromEntries(under("single_blocks", singleBlocks, single)),
      });
    });

  it("counts the parameters that are published", () => {
    expect(values(layoutTensors(KLEIN_4B, "transformer", "bfl"))).toBe(3_875_544_576);
    expect(values(layoutTensors(KLEIN_9B, "transformer", "bfl"))).toBe(9_078_581_248);
    expect(values(layoutTensors(KLEIN_4B, "textEncoder", "gguf"))).toBe(3_114_088_192);
    expect(values(layoutTensors(KLEIN_9B, "textEncoder", "gguf"))).toBe(5_831_883_520);
    const statistics = 2 * 128; // of the batch normalisation, which are no parameters
    expect(values(layoutTensors(KLEIN_4B, "vae", "bfl"))).toBe(84_046_115 + statistics);
    expect(values(layoutTensors(KLEIN_4B_SMALL_DECODER, "vae", "bfl"))).toBe(62_373_091 + statistics);
  });

  it("joins queries, keys and values, and swaps the halves of the last modulation", () => {
    const tensors = layoutTensors(KLEIN_4B, "transformer", "bfl");
    const pieces = (name: string): unknown => tensors.find((tensor) => tensor.name === name)!.pieces;
    expect(pieces("double_blocks.4.txt_attn.qkv.weight")).toEqual([
      { canonical: "transformer_blocks.4.attn.add_q_proj.weight", firstRow: 0, rows: 3072 },
      { canonical: "transformer_blocks.4.attn.add_k_proj.weight", firstRow: 0, rows: 3072 },
      { canonical: "transformer_blocks.4.attn.add_v_proj.weight", firstRow: 0, rows: 3072 },
    ]);
    expect(pieces("final_layer.adaLN_modulation.1.weight")).toEqual([
      { canonical: "norm_out.linear.weight", firstRow: 3072, rows: 3072 },
      { canonical: "norm_out.linear.weight", firstRow: 0, rows: 3072 },
    ]);
  });

  it("names the autoencoder as BFL does: the decoder's last level first, projections as convolutions", () => {
    const small = shapes(layoutTensors(KLEIN_4B_SMALL_DECODER, "vae", "bfl"));
    expect(small).toMatchObject({
      "encoder.conv_in.weight": [128, 3, 3, 3],
      "encoder.down.1.block.0.nin_shortcut.weight": [256, 128, 1, 1],
      "encoder.down.2.downsample.conv.bias": [512],
      "encoder.mid.block_2.conv2.weight": [512, 512, 3, 3],
      "encoder.mid.attn_1.norm.weight": [512],
      "encoder.mid.attn_1.q.weight": [512, 512, 1, 1],
      "encoder.norm_out.weight": [512],
      "encoder.conv_out.weight": [64, 512, 3, 3],
      "encoder.quant_conv.weight": [64, 64, 1, 1],
      "decoder.post_quant_conv.weight": [32, 32, 1, 1],
      "decoder.conv_in.weight": [384, 32, 3, 3],
      "decoder.mid.attn_1.proj_out.weight": [384, 384, 1, 1],
      "decoder.mid.attn_1.proj_out.bias": [384],
      "decoder.up.3.block.2.conv1.weight": [384, 384, 3, 3],
      "decoder.up.1.block.0.nin_shortcut.weight": [192, 384, 1, 1],
      "decoder.up.1.upsample.conv.weight": [192, 192, 3, 3],
      "decoder.up.0.block.0.conv1.bias": [96],
      "decoder.up.0.block.0.nin_shortcut.weight": [96, 192, 1, 1],
      "decoder.norm_out.bias": [96],
      "decoder.conv_out.weight": [3, 96, 3, 3],
      "bn.running_mean": [128],
    });
    expect(small).not.toHaveProperty("decoder.up.0.upsample.conv.weight");
    expect(small).not.toHaveProperty("encoder.down.3.downsample.conv.weight");
  });

  it("names the text encoder as llama.cpp does", () => {
    expect(shapes(layoutTensors(KLEIN_4B, "textEncoder", "gguf"))).toMatchObject({
      "token_embd.weight": [151_936, 2560],
      "blk.0.attn_norm.weight": [2560],
      "blk.0.ffn_norm.weight": [2560],
      "blk.0.attn_q.weight": [4096, 2560],
      "blk.0.attn_k.weight": [1024, 2560],
      "blk.0.attn_v.weight": [1024, 2560],
      "blk.0.attn_q_norm.weight": [128],
      "blk.0.attn_k_norm.weight": [128],
      "blk.0.attn_output.weight": [2560, 4096],
      "blk.0.ffn_gate.weight": [9728, 2560],
      "blk.0.ffn_up.weight": [9728, 2560],
      "blk.26.ffn_down.weight": [2560, 9728],
    });
  });

  it("puts the channels of convolutions last where MLX does", () => {
    const tensors = shapes(layoutTensors(KLEIN_4B, "vae", "diffusers-channels-last"));
    expect(tensors).toMatchObject({
      "decoder.conv_in.weight": [512, 3, 3, 32],
      "encoder.mid_block.attentions.0.to_q.weight": [512, 512],
    });
  });

  for (const [part, layout] of EVERY)
    for (const [name, config] of Object.entries(CONFIGS))
      it(`holds every row of every tensor once: ${part} of ${name} in ${layout}`, () => {
        const tensors = layoutTensors(config, part, layout);
        expect(new Set(tensors.map((tensor) => tensor.name)).size).toBe(tensors.length);
        const rows = new Map<string, [number, number][]>();
        for (const { shape, pieces } of tensors) {
          expect(pieces.reduce((sum, piece) => sum + piece.rows, 0)).toBe(shape[0]);
          for (const { canonical, firstRow, rows: count } of pieces)
            rows.set(canonical, [...(rows.get(canonical) ?? []), [firstRow, firstRow + count]]);
        }
        for (const tensor of inventory(config, part)) {
          const ranges = rows.get(tensor.name)!.toSorted(([a], [b]) => a - b);
          expect([0, ...ranges.map(([, end]) => end)]).toEqual([...ranges.map(([first]) => first), tensor.shape[0]]);
        }
        expect(rows.size).toBe(inventory(config, part).length);
        expect(values(tensors)).toBe(values(inventory(config, part)));
      });
});
