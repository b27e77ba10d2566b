import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { bf16ToF32 } from "../../runtime/weights/float.ts";
import { inventory, type WeightPart } from "../../runtime/weights/inventory.ts";
import type { ModelConfig } from "../../runtime/weights/config/model-config.ts";
import { type Layout, LAYOUTS } from "../../runtime/weights/names/layouts.ts";
import { type OpenModel, openModel, type OpenModelOptions } from "../../runtime/weights/open-model.ts";
import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";
import { MemorySource, safetensorsFile } from "../support/model-files.ts";
import { type HalfTensor, parseHalves, relaid } from "../support/relaid.ts";
import { readModelConfig } from "../support/part-folder.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Files = Readonly<Record<string, Bytes | string>>;
type Tensors = Readonly<Record<string, HalfTensor>>;

const PARTS = ["textEncoder", "transformer", "vae"] as const;
const FILES = {
  textEncoder: "text_encoder/model.safetensors",
  transformer: "transformer/diffusion_pytorch_model.safetensors",
  vae: "vae/diffusion_pytorch_model.safetensors",
} as const;
const JSON_FILES = [
  "kleinbild.json",
  "model_index.json",
  "transformer/config.json",
  "vae/config.json",
  "text_encoder/config.json",
  "tokenizer/tokenizer.json",
  "tokenizer/tokenizer_config.json",
] as const;

const read = (path: string): Bytes =>
  new Uint8Array(readFileSync(new URL(`../golden/models/plain/${path}`, import.meta.url)));
/** The small model's configs and tokenizer, and its tensors by part. */
const SHARED: Files = Object.fromEntries(JSON_FILES.map((path) => [path, read(path)]));
const TENSORS = Object.fromEntries(PARTS.map((part) => [part, parseHalves(read(FILES[part]))])) as unknown as Readonly<
  Record<WeightPart, Tensors>
>;
/** The weights in diffusers' layout, but for `without`. */
const weights = (without?: WeightPart): Files =>
  Object.fromEntries(
    PARTS.filter((part) => part !== without).map((part) => [FILES[part], safetensorsFile(TENSORS[part])]),
  );
const open = (files: Files, options?: OpenModelOptions): Promise<OpenModel> =>
  openModel(new MemorySource({ ...SHARED, ...files }), options);

let config: ModelConfig;
beforeAll(async () => void (config = await readModelConfig(new MemorySource(SHARED))));

/** Expects every tensor of the part to equal the original file bit by bit. */
async function expectValues(model: OpenModel, part: WeightPart): Promise<void> {
  for (const { name, shape } of inventory(config, part)) {
    model.stores[part].expectShape(name, shape);
    const [actual, expected] = [await model.stores[part].readAll(name), bf16ToF32(TENSORS[part][name]!.data)];
    expect(Buffer.compare(Buffer.from(actual.buffer), Buffer.from(expected.buffer)), name).toBe(0);
  }
}

const NAMINGS: readonly (readonly [WeightPart, Layout, prefixes: readonly string[]])[] = [
  ["textEncoder", "transformers", ["", "text_encoders.qwen3_4b.transformer.", "text_encoders.qwen3_8b."]],
  ["textEncoder", "gguf", [""]],
  ["transformer", "diffusers", ["", "transformer.", "model.diffusion_model."]],
  ["transformer", "diffusers-fused", [""]],
  ["transformer", "bfl", ["", "model.diffusion_model.", "diffusion_model."]],
  ["vae", "diffusers", ["", "vae."]],
  ["vae", "diffusers-channels-last", [""]],
  ["vae", "bfl", ["", "first_stage_model.", "vae."]],
];

describe("openModel", () => {
  it("knows every naming that is tested here, and no other", () => {
    const all = Object.entries(LAYOUTS).flatMap(([part, layouts]) => layouts.map((layout) => `${part} ${layout}`));
    expect(NAMINGS.map(([part, layout]) => `${part} ${layout}`).toSorted()).toEqual(all.toSorted());
  });

  for (const [part, layout, prefixes] of NAMINGS)
    for (const prefix of prefixes)
      it(`gives the same values for the ${part} in ${layout} with the prefix "${prefix}"`, async () => {
        const stored = relaid(config, part, layout, TENSORS[part], prefix);
        const model = await open({ ...weights(part), "anything.safetensors": safetensorsFile(stored) });
        await expectValues(model, part);
        const recognition = model.recognition.parts[part];
        expect(recognition).toMatchObject({
          files: ["anything.safetensors"],
          format: "safetensors",
          naming: layout,
          types: { BF16: Object.keys(stored).length },
          bytes: Object.values(stored).reduce((sum, { data }) => sum + data.byteLength, 0),
          extra: [],
        });
        expect(model.config).toEqual(config);
      });

  it("reads any rows of a tensor that is stored in a joined one, across swapped halves", async () => {
    const stored = safetensorsFile(relaid(config, "transformer", "bfl", TENSORS.transformer));
    const { transformer } = (await open({ ...weights("transformer"), "t.safetensors": stored })).stores;
    for (const name of ["norm_out.linear.weight", "transformer_blocks.0.attn.to_v.weight"]) {
      const whole = bf16ToF32(TENSORS.transformer[name]!.data);
      const [rows, columns] = TENSORS.transformer[name]!.shape as [number, number];
      for (const [first, count] of [
        [0, 1],
        [rows - 1, 1],
        [rows / 2 - 1, 2],
        [rows / 2, 1],
        [1, rows - 1],
        [rows, 0],
      ] as const)
        expect(await transformer.readRows(name, first, count), `${name} ${first}+${count}`).toEqual(
          whole.slice(first * columns, (first + count) * columns),
        );
      await expect(transformer.readRows(name, 1, rows)).rejects.toMatchObject({ code: "invalid-shape" });
      expect(transformer.bytesOf(name)).toBe(2 * rows * columns);
      expect(transformer.bytesOf(name, 1.5)).toBe(3 * columns);
      expect(transformer.packedFormat(name)).toBeUndefined();
      await expect(transformer.readPacked(name, 0, 1)).rejects.toMatchObject({ code: "invalid-shape" });
    }
  });

  it("reads the three parts out of one file", async () => {
    const all = safetensorsFile({
      ...relaid(config, "transformer", "bfl", TENSORS.transformer, "model.diffusion_model."),
      ...relaid(config, "textEncoder", "transformers", TENSORS.textEncoder, "text_encoders.qwen3_4b.transformer."),
      ...relaid(config, "vae", "bfl", TENSORS.vae, "vae."),
    });
    const model = await open({ "all-in-one.safetensors": all });
    for (const part of PARTS) await expectValues(model, part);
    expect(model.files).toEqual([...JSON_FILES, "all-in-one.safetensors"].toSorted());
  });

  it("reads spellings of mflux and of BFL's norms without scale", async () => {
    const respell = (tensors: Tensors, ...changes: readonly [RegExp, string][]): Bytes =>
      safetensorsFile(
        Object.fromEntries(
          Object.entries(tensors).map(([name, tensor]) => [
            changes.reduce((text, [pattern, to]) => text.replace(pattern, to), name),
            tensor,
          ]),
        ),
      );
    const mflux = await open({
      "text_encoder/0.safetensors": respell(TENSORS.textEncoder, [/^model\./, ""]),
      "transformer/0.safetensors": respell(
        TENSORS.transformer,
        [/timestep_embedder\./, ""],
        [/^(transformer_blocks.*\.to_out)\.0/, "$1"],
      ),
      "vae/0.safetensors": respell(relaid(config, "vae", "diffusers-channels-last", TENSORS.vae), [
        /to_out\.0/,
        "to_out",
      ]),
    });
    for (const part of PARTS) await expectValues(mflux, part);
    const bfl = relaid(config, "transformer", "bfl", TENSORS.transformer);
    const norms = await open({
      ...weights("transformer"),
      "x.safetensors": respell(bfl, [/_norm\.scale$/, "_norm.weight"]),
    });
    await expectValues(norms, "transformer");
  });

  it("reads shards with and without an index, and leaves out shards that it does not need", async () => {
    const entries = Object.entries(TENSORS.textEncoder);
    const layers = config.textLayers.at(-1)!;
    const isLast = (name: string): boolean =>
      name === "model.norm.weight" || name.startsWith(`model.layers.${layers}.`);
    const shards = [
      entries.filter(([name]) => !isLast(name) && name.length % 2 === 0),
      entries.filter(([name]) => !isLast(name) && name.length % 2 === 1),
      entries.filter(([name]) => isLast(name)),
    ];
    const name = (i: number): string => `model-0000${i + 1}-of-00003.safetensors`;
    const files = Object.fromEntries(
      shards.map((shard, i) => [`text_encoder/${name(i)}`, safetensorsFile(Object.fromEntries(shard))]),
    );
    const index = {
      weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(([key]) => [key, name(i)]))),
    };
    const indexed = await open({
      ...weights("textEncoder"),
      ...files,
      "text_encoder/model.safetensors.index.json": JSON.stringify(index),
    });
    await expectValues(indexed, "textEncoder");
    expect(indexed.files).toContain("text_encoder/model.safetensors.index.json");
    expect(indexed.files).toContain(`text_encoder/${name(1)}`);
    expect(indexed.files).not.toContain(`text_encoder/${name(2)}`);
    const listed = await open({ ...weights("textEncoder"), ...files });
    await expectValues(listed, "textEncoder");
    expect(listed.recognition.parts.textEncoder.files).toHaveLength(3);
  });

  it("prefers the file in the part's folder, takes a named file, and refuses to guess", async () => {
    const bfl = safetensorsFile(relaid(config, "transformer", "bfl", TENSORS.transformer));
    const others = weights("transformer");
    const folder = await open({ ...others, "a.safetensors": bfl, "transformer/b.safetensors": bfl });
    expect(folder.recognition.parts.transformer.files).toEqual(["transformer/b.safetensors"]);
    const two = { ...others, "a.safetensors": bfl, "b.safetensors": bfl };
    const named = await open(two, { files: { transformer: ["b.safetensors"] } });
    expect(named.recognition.parts.transformer.files).toEqual(["b.safetensors"]);
    await expect(open(two)).rejects.toMatchObject({
      code: "invalid-model",
      message:
        "Several files hold the transformer: a.safetensors, b.safetensors. One was expected: remove the others, or name the file to use.",
    });
  });

  it("passes over files of other kinds, and damaged ones that nobody needs", async () => {
    const lora = { "diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": TENSORS.vae["bn.running_mean"]! };
    const model = await open({ ...weights(), "lora.safetensors": safetensorsFile(lora), "broken.gguf": "?" });
    expect(model.recognition.parts.transformer.files).toEqual([FILES.transformer]);
    const moved = { ...weights("vae"), "vae.safetensors": safetensorsFile(TENSORS.vae), "a.safetensors": "?" };
    await expectValues(await open(moved), "vae");
    await expect(open({ ...weights("vae"), "a.safetensors": "?" })).rejects.toMatchObject({
      code: "invalid-model",
      details: { path: "a.safetensors" },
    });
  });

  it("names unused tensors, and tensors that do not belong to the part", async () => {
    const norm = TENSORS.textEncoder["model.norm.weight"]!;
    const model = await open({
      ...weights(),
      [FILES.textEncoder]: safetensorsFile({
        ...TENSORS.textEncoder,
        "lm_head.weight": norm,
        "model.layers.0.odd": norm,
      }),
    });
    const { unused, extra } = model.recognition.parts.textEncoder;
    const beyond = Object.keys(TENSORS.textEncoder).filter((name) => name.startsWith("model.layers.3."));
    expect(beyond).toHaveLength(11);
    expect(unused.toSorted()).toEqual([...beyond, "lm_head.weight", "model.norm.weight"].toSorted());
    expect(extra).toEqual(["model.layers.0.odd"]);
    expect(model.recognition.parts.vae).toMatchObject({ unused: ["bn.num_batches_tracked"], extra: [] });
  });

  for (const part of PARTS)
    for (const layout of LAYOUTS[part])
      it(`names a tensor of the ${part} that is missing or misshapen in ${layout}`, async () => {
        const stored = relaid(config, part, layout, TENSORS[part]);
        const names = Object.keys(stored);
        const last = names.at(-1)!;
        const tensor = stored[last]!;
        const { [last]: _, ...rest } = stored;
        const opening = (tensors: Tensors): Promise<OpenModel> =>
          open({ ...weights(part), "x.safetensors": safetensorsFile(tensors) });
        await expect(opening(rest)).rejects.toMatchObject({
          code: "invalid-model",
          message: `x.safetensors: the ${part} lacks ${last}, which the config requires (layout ${layout}).`,
          details: { tensor: last },
        });
        const longer = [...tensor.shape.slice(0, -1), 2 * tensor.shape.at(-1)!];
        const data = Uint16Array.of(...tensor.data, ...tensor.data);
        await expect(opening({ ...rest, [last]: { ...tensor, shape: longer, data } })).rejects.toMatchObject({
          code: "invalid-model",
          message: `x.safetensors: ${last} is [${longer.join(", ")}]; the config requires [${tensor.shape.join(", ")}].`,
          details: { tensor: last },
        });
      });

  it("lists the first of many that are missing", async () => {
    const { "x_embedder.weight": only } = TENSORS.transformer;
    await expect(
      open({ ...weights(), [FILES.transformer]: safetensorsFile({ "x_embedder.weight": only! }) }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/lacks (?:\S+, ){4}\S+ and 47 more, which/) });
  });

  it("names the expected tensors if a file has none of them", async () => {
    const foreign = { "unet.down.0": TENSORS.vae["bn.running_mean"]! };
    await expect(open({ ...weights(), [FILES.transformer]: safetensorsFile(foreign) })).rejects.toMatchObject({
      code: "invalid-model",
      message: `${FILES.transformer} is not a known transformer: it has the tensors unet.down.0; x_embedder.weight or img_in.weight was expected.`,
    });
  });

  it("refuses a tensor that is stored under two names", async () => {
    const twice = { ...TENSORS.vae, "vae.bn.running_mean": TENSORS.vae["bn.running_mean"]! };
    await expect(open({ ...weights(), [FILES.vae]: safetensorsFile(twice) })).rejects.toMatchObject({
      code: "invalid-model",
      details: { tensor: "vae.bn.running_mean" },
    });
  });

  for (const part of PARTS)
    it(`says where it looked for the ${part}`, async () => {
      const source = new MemorySource({ ...SHARED, ...weights(part) });
      const missing = (others: RegExp): object => ({
        code: "missing-file",
        message: expect.stringMatching(
          new RegExp(
            `^The ${part} is missing: \\w+/ of memory has neither .+\\.safetensors nor an index, and ${others.source}`,
          ),
        ),
        details: { part },
      });
      await expect(openModel(source)).rejects.toMatchObject(
        missing(/none of its 2 safetensors and GGUF files has the tensor \S+ or \S+\.$/),
      );
      const unlisted: ModelSource = {
        description: source.description,
        exists: (path) => source.exists(path),
        open: (path) => source.open(path),
        list: async () => undefined,
        close: () => source.close(),
      };
      await expect(openModel(unlisted)).rejects.toMatchObject(missing(/its other files cannot be listed\.$/));
    });

  it("does not go on when it is aborted", async () => {
    const reason = new Error("enough");
    await expect(open({ "a.safetensors": "?" }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it("asks for a missing tokenizer, and finds it in every possible folder", async () => {
    const {
      "tokenizer/tokenizer.json": json,
      "tokenizer/tokenizer_config.json": _,
      ...rest
    } = SHARED as Record<string, Bytes>;
    const source = (files: Files): MemorySource => new MemorySource({ ...rest, ...weights(), ...files });
    await expect(openModel(source({}))).rejects.toMatchObject({
      code: "missing-file",
      message: expect.stringMatching(/has no tokenizer\/tokenizer\.json, .*Add the tokenizer\.json of Qwen3/),
    });
    for (const path of ["text_encoder/tokenizer.json", "tokenizer.json"]) {
      const model = await openModel(source({ [path]: json! }));
      expect(model.recognition.tokenizer).toBe(path);
      expect(await model.readTokenizer()).toEqual({
        json: JSON.parse(new TextDecoder().decode(json)),
        config: { pad_token: "<|endoftext|>" },
      });
    }
  });
});
