import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gpu } from "../../runtime/gpu/device.ts";
import { FolderSource } from "../../runtime/node/folder-source.ts";
import { openTensorFile } from "../../runtime/weights/formats/open-tensor-file.ts";
import type { PackedRows } from "../../runtime/weights/formats/tensor-file.ts";
import type { InventoryTensor } from "../../runtime/weights/inventory.ts";
import { WeightLoader } from "../../runtime/weights/loader/weight-loader.ts";
import { TensorView } from "../../runtime/weights/names/tensor-view.ts";
import { QUANTIZATION_BITS, quantizeRows } from "../../runtime/weights/quantize.ts";
import { repackPart } from "../../runtime/weights/repack/repack-part.ts";
import type { ModelSource } from "../../runtime/weights/sources/model-source.ts";
import { ModelStore } from "../../runtime/weights/store/model-store.ts";
import { FolderBackend } from "../../runtime/node/folder-backend.ts";
import { TensorStore } from "../../runtime/weights/tensor-store.ts";
import type { CaseRun } from "../../bench/bench-case.ts";
import type { Figure } from "../../bench/report/report.ts";
import { figure } from "../../bench/statistics.ts";
import { ENCODINGS } from "../synthesize/encodings.ts";
import { KLEIN_4B } from "../../bench/klein-configs.ts";
import { serveModel } from "../synthesize/model-server.ts";
import { RandomBytes } from "../synthesize/random-bytes.ts";
import { type TensorToWrite, tensorsToWrite } from "../synthesize/tensors-to-write.ts";
import { ggufBytes, safetensorsBytes } from "../synthesize/write-file.ts";

/** The second linear layer of a single block of klein 4B, with 38 million values, by its names in diffusers and GGUF files. */
const SHAPE = [KLEIN_4B.transformer.hidden, KLEIN_4B.transformer.hidden + KLEIN_4B.transformer.mlpHidden] as const;
const NAMES = {
  safetensors: "single_transformer_blocks.0.attn.to_out.weight",
  gguf: "single_blocks.0.linear2.weight",
} as const;
const ROWS_AT_ONCE = 160;
const FORMATS = [
  "bf16",
  "f16",
  "f32",
  "fp8-e4m3",
  "gguf-Q8_0",
  "gguf-Q6_K",
  "gguf-Q4_K",
  "gguf-Q4_0",
  "gguf-IQ4_XS",
  "mlx-4-64",
] as const;

/** Times the load of a matrix from a file to 4 bits on the GPU, by format and stage, and a download into the store. */
export async function loadingCase(run: CaseRun): Promise<void> {
  await run.withGpu({}, async (gpu) => {
    for (const format of FORMATS)
      if (run.hasTime()) await withFile(format, (source, path) => measureFormat(run, gpu, source, path, format));
    if (run.hasTime()) await withFile("bf16", (source, path) => measureRepacked(run, gpu, source, path));
  });
  if (run.hasTime()) await measureStoring(run);
}

/** Times the stages from a server to a repacked model in the store. */
async function measureStoring(run: CaseRun): Promise<void> {
  await withFile("bf16", async (source, path) => {
    const file = await source.open(path);
    const bytes = file.size;
    const add = async (name: string, work: () => Promise<unknown>): Promise<void> =>
      run.addRow({
        labels: { "from a server into the store": name },
        figures: { rate: await rateOf(bytes, run.choice.repeats, work) },
      });
    const server = await serveModel(source.description);
    const folder = await mkdtemp(join(tmpdir(), "kleinbild-bench-"));
    try {
      const store = new ModelStore(new FolderBackend(folder));
      const url = `${server.url}${path}`;
      await add("fetch", async () => (await fetch(url)).arrayBuffer());
      await add("SHA-256", async () => crypto.subtle.digest("SHA-256", await file.read(0, bytes)));
      await add("download to the store (fetch, SHA-256, write)", async () => {
        await store.delete("bench");
        await store.download("bench", { name: "bench", address: server.url, files: [{ path, urls: [url], bytes }] });
      });
      const tensors = await openTensors(source, path);
      for (const method of ["rtn", "mse"] as const)
        await add(`repack to 4 bits with ${method} (decode, quantize, write)`, async () => {
          await store.delete("repacked");
          await store.write("repacked", { name: "bench", address: "" }, async (writer) => {
            const target = await writer.file(path);
            const options = { quantization: "q4", method } as const;
            await repackPart(tensors, [blockMatrix(path)], options, (part) => target.write(part));
            await target.close();
          });
        });
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
}

/** Measures the rate of each stage alone, and of the whole load as in the engine. Packed files skip quantization. */
async function measureFormat(run: CaseRun, gpu: Gpu, source: ModelSource, path: string, format: string): Promise<void> {
  const { repeats } = run.choice;
  const { name } = blockMatrix(path);
  const file = await source.open(path);
  const bytes = await file.read(0, file.size);
  const inMemory = await openTensors(memorySource(path, bytes), path);
  const isPacked = inMemory.packedFormat(name) === "q4";
  const windowBytes = Math.ceil((file.size * ROWS_AT_ONCE) / SHAPE[0]);
  const decoded: (Float32Array<ArrayBuffer> | PackedRows)[] = [];
  const packed: PackedRows[] = [];
  const quantize = (window: Float32Array<ArrayBuffer> | PackedRows): PackedRows =>
    window instanceof Float32Array
      ? quantizeRows(window, window.length / SHAPE[1], SHAPE[1], QUANTIZATION_BITS.q4, "mse")
      : window;
  const stages = {
    read: await rateOf(file.size, repeats, async () => {
      for (let at = 0; at < file.size; at += windowBytes) await file.read(at, Math.min(windowBytes, file.size - at));
    }),
    decode: await rateOf(file.size, repeats, async () => {
      decoded.length = 0;
      for (let row = 0; row < SHAPE[0]; row += ROWS_AT_ONCE) {
        const rows = Math.min(ROWS_AT_ONCE, SHAPE[0] - row);
        decoded.push(isPacked ? await inMemory.readPacked(name, row, rows) : await inMemory.readRows(name, row, rows));
      }
    }),
    quantize: await rateOf(file.size, repeats, async () => {
      packed.length = 0;
      for (const window of decoded) packed.push(quantize(window));
    }),
    upload: await uploadRate(gpu, file.size, packed, repeats),
  };
  const tensors = await openTensors(source, path);
  const load = await rateOf(file.size, repeats, async () => {
    const loader = new WeightLoader({
      gpu,
      store: tensors,
      part: "transformer",
      scalar: "f32",
      quantization: "q4",
      quantizationMethod: "mse",
    });
    await loader.matrix({ name, shape: SHAPE });
    await gpu.recorder.settle();
    loader.dispose();
  });
  const { quantize: quantizing, ...others } = stages;
  run.addRow({
    labels: { format },
    figures: {
      file: { value: file.size / 1e6, unit: "MB", derived: true },
      ...others,
      ...(isPacked ? {} : { quantize: quantizing }),
      load,
    },
  });
}

async function measureRepacked(run: CaseRun, gpu: Gpu, source: ModelSource, path: string): Promise<void> {
  const parts: Uint8Array[] = [];
  const options = { quantization: "q4", method: "rtn" } as const;
  await repackPart(
    await openTensors(source, path),
    [blockMatrix(path)],
    options,
    async (part) => void parts.push(part),
  );
  await writeFile(join(source.description, path), parts);
  const own = new FolderSource(source.description);
  try {
    await measureFormat(run, gpu, own, path, "repacked by Kleinbild");
  } finally {
    await own.close();
  }
}

/** Bytes of the file per second in each of `repeats` rounds, after a warm-up round. */
async function rateOf(bytes: number, repeats: number, work: () => Promise<unknown>): Promise<Figure> {
  const rates: number[] = [];
  for (let round = -1; round < repeats; round++) {
    const started = performance.now();
    await work();
    if (round >= 0) rates.push(bytes / (performance.now() - started) / 1000);
  }
  return figure(rates, "MB/s");
}

async function uploadRate(gpu: Gpu, bytes: number, windows: readonly PackedRows[], repeats: number): Promise<Figure> {
  const codes = windows.reduce((sum, { packed }) => sum + packed.length, 0);
  const blocks = windows.reduce((sum, { scales }) => sum + scales.length, 0);
  const values = gpu.memory.tensor("transformer", "bench codes", "u8", [codes]);
  const scaleValues = gpu.memory.tensor("transformer", "bench scales", "f32", [blocks]);
  try {
    return await rateOf(bytes, repeats, async () => {
      let [at, scaleAt] = [0, 0];
      for (const { packed, scales } of windows) {
        gpu.recorder.write(values, packed, at);
        gpu.recorder.write(scaleValues, scales, scaleAt);
        at += packed.byteLength;
        scaleAt += scales.byteLength;
      }
      await gpu.recorder.settle();
    });
  } finally {
    gpu.memory.freeTensors(values, scaleValues);
  }
}

/** Runs `work` with a file of one seeded matrix in a temporary folder. */
async function withFile(format: string, work: (source: ModelSource, path: string) => Promise<void>): Promise<void> {
  const encoding = ENCODINGS[format]!;
  const config = { ...KLEIN_4B, transformer: { ...KLEIN_4B.transformer, doubleBlocks: 1, singleBlocks: 1 } };
  const layout = encoding.format === "gguf" ? "bfl" : "diffusers";
  const base = NAMES[encoding.format].replace(/\.weight$/, "");
  const tensors = tensorsToWrite(config, "transformer", layout, encoding).filter(({ name }) => name.startsWith(base));
  const random = new RandomBytes(1);
  const bytesOf = (tensor: TensorToWrite): Iterable<Uint8Array> => random.bytesOf(tensor);
  const bytes = encoding.format === "gguf" ? ggufBytes(tensors, {}, bytesOf) : safetensorsBytes(tensors, bytesOf);
  const folder = await mkdtemp(join(tmpdir(), "kleinbild-bench-"));
  const source = new FolderSource(folder);
  try {
    const path = `matrix.${encoding.format}`;
    await writeFile(join(folder, path), bytes);
    await work(source, path);
  } finally {
    await source.close();
    await rm(folder, { recursive: true });
  }
}

function blockMatrix(path: string): InventoryTensor {
  return { name: path.endsWith(".gguf") ? NAMES.gguf : NAMES.safetensors, shape: SHAPE, role: "block" };
}

async function openTensors(source: ModelSource, path: string): Promise<TensorStore> {
  const { tensors } = await openTensorFile(source, path);
  const views = new Map([...tensors].map(([name, tensor]) => [name, TensorView.of(tensor)]));
  return new TensorStore(path, views, {
    files: [path],
    format: path.endsWith(".gguf") ? "gguf" : "safetensors",
    naming: "as stored",
    unused: [],
    extra: [],
  });
}

function memorySource(path: string, bytes: Uint8Array<ArrayBuffer>): ModelSource {
  return {
    description: "memory",
    exists: async (asked) => asked === path,
    open: async () => ({
      size: bytes.length,
      read: async (offset, length) => bytes.slice(offset, offset + length),
    }),
    list: async () => [path],
    close: async () => {},
  };
}
