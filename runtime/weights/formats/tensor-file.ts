/** Rows of a quantized tensor in the layout that the kernels read: blocks of 32 along the input, one scale a block. */
export interface PackedRows {
  /** [rows, in / 32, 32 · bits / 8]; 4-bit codes low nibble first. */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** [rows · in / 32] */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** A tensor that lies in the kernels' layout, or in one that becomes it without loss (GGUF's Q4_0 and Q8_0). */
export interface PackedTensor {
  /** value = (code − 8) · scale with 4 bits, (code − 128) · scale with 8. */
  readonly format: "q4" | "q8";
  readRows(first: number, rows: number, signal?: AbortSignal): Promise<PackedRows>;
}

/** A tensor of a file, whatever its type: read as f32, row by row. */
export interface StoredTensor {
  /** As in the file. */
  readonly name: string;
  /** The type in the words of its format, for people: `BF16`, `F8_E4M3`, `Q4_K`, `MLX 4-bit group 64`. */
  readonly type: string;
  /** Row-major, output rows first, in values (not codes). */
  readonly shape: readonly number[];
  /** Bytes in the file, with those of its scales and biases. */
  readonly bytes: number;
  /**
   * Rows as f32; a row is everything behind the first dimension, a vector's is one value.
   * @throws KleinbildError `invalid-shape` beyond the last row
   */
  readRows(first: number, rows: number, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>>;
  readonly packed?: PackedTensor;
}

/** A file of tensors, its header read. Scales and biases of quantized tensors are part of these, not tensors of their own. */
export interface TensorFile {
  readonly path: string;
  readonly format: "safetensors" | "gguf";
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Texts and numbers that the header carries; arrays only where a reader asks for them. */
  readonly metadata: ReadonlyMap<string, unknown>;
}
