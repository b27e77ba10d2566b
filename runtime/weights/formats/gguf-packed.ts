import { f16Value } from "../float.ts";
import type { PackedRows } from "./tensor-file.ts";

const BLOCK = 32;
const HALF = 16;

/** Converts Q4_0 to the 4-bit codes of the kernels. A byte there holds neighbouring values, and one from each half of the block in GGML. */
export function packQ4_0(bytes: Uint8Array): PackedRows {
  const blockBytes = 2 + HALF;
  const blocks = bytes.length / blockBytes;
  const packed = new Uint8Array(blocks * HALF);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    const codes = at + 2;
    scales[block] = f16Value(bytes[at]!, bytes[at + 1]!);
    for (let i = 0; i < HALF / 2; i++) {
      const [even, odd] = [bytes[codes + 2 * i]!, bytes[codes + 2 * i + 1]!];
      packed[block * HALF + i] = (even & 15) | ((odd & 15) << 4);
      packed[block * HALF + HALF / 2 + i] = (even >> 4) | (odd & 0xf0);
    }
  }
  return { packed, scales };
}

/** Converts Q8_0 to the 8-bit codes of the kernels, which have an offset of 128. */
export function packQ8_0(bytes: Uint8Array): PackedRows {
  const blockBytes = 2 + BLOCK;
  const blocks = bytes.length / blockBytes;
  const packed = new Uint8Array(blocks * BLOCK);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const at = block * blockBytes;
    scales[block] = f16Value(bytes[at]!, bytes[at + 1]!);
    for (let i = 0; i < BLOCK; i++) packed[block * BLOCK + i] = bytes[at + 2 + i]! ^ 128;
  }
  return { packed, scales };
}
