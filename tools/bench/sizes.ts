import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "rolldown";
import type { CaseRun } from "../../bench/bench-case.ts";
import type { Figure } from "../../bench/report/report.ts";
import { ON_DEMAND, page } from "../../rolldown.config.mjs";
import { ROOT } from "./node-bench-platform.ts";

/** The wasm that `onnxruntime-web/webgpu` loads. */
const WASM = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm";
/** The strongest setting takes a minute for the wasm, so a weaker one is used. */
const BROTLI_QUALITY = 5;

/**
 * Measures the bytes that a page loads to make pictures, without the model: the minified modules of the page and its worker
 * and, with its backend, onnxruntime.
 */
export async function sizesCase(run: CaseRun): Promise<void> {
  const { output } = await build({ ...page, write: false });
  const files = output.flatMap((file) => (file.type === "chunk" ? [file] : []));
  const bytesOf = ({ code }: (typeof files)[number]): Buffer => Buffer.from(code);
  const all = files.map(bytesOf);
  const own = files.filter(({ fileName }) => !fileName.startsWith(ON_DEMAND)).map(bytesOf);
  addRow(run, "backend wgsl: page and worker", own);
  addRow(run, "backend ort: the same, onnxruntime's JavaScript", all);
  addRow(run, "backend ort: all with onnxruntime's wasm", [...all, readFileSync(`${ROOT}${WASM}`)]);
}

function addRow(run: CaseRun, bundle: string, files: readonly Buffer[]): void {
  const total = (compress: (bytes: Buffer) => Buffer): Figure => ({
    value: files.reduce((sum, bytes) => sum + compress(bytes).length, 0),
    unit: "bytes",
  });
  const brotli = (bytes: Buffer): Buffer =>
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
  run.addRow({
    labels: { bundle },
    figures: { raw: total((bytes) => bytes), gzip: total((bytes) => gzipSync(bytes)), brotli: total(brotli) },
  });
}
