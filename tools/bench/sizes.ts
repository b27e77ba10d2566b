import { readFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { bundlePage } from "../build.mjs";
import type { CaseRun } from "../../bench/bench-case.ts";
import type { Figure } from "../../bench/report/report.ts";
import { ROOT } from "./node-bench-platform.ts";

/** The one that `onnxruntime-web/webgpu` asks for. */
const WASM = "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm";
/** The strongest setting takes a minute for the wasm. */
const BROTLI_QUALITY = 5;

/**
 * Bytes of what a page loads to make pictures: its own modules and the worker's, minified, and onnxruntime where its
 * backend is asked for. The model comes on top.
 */
export async function sizesCase(run: CaseRun): Promise<void> {
  const files = await bundlePage();
  const own = files.filter(({ onDemand }) => !onDemand);
  addRow(run, "backend wgsl: page and worker", own.map(bytesOf));
  addRow(run, "backend ort: the same, onnxruntime's JavaScript", files.map(bytesOf));
  addRow(run, "backend ort: all with onnxruntime's wasm", [...files.map(bytesOf), readFileSync(`${ROOT}${WASM}`)]);
}

function bytesOf({ code }: { readonly code: string }): Buffer {
  return Buffer.from(code);
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
