/** Rows of a quantized tensor in the packed layout that the kernels read: blocks of 32 inputs with one scale each. */
export interface PackedRows {
  /** [rows, in / 32, 32 · bits / 8]; 4-bit codes low nibble first. */
  readonly packed: Uint8Array<ArrayBuffer>;
  /** [rows · in / 32] */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** A tensor in the packed layout, or in one that converts to it without loss (GGUF's Q4_0 and Q8_0). */
export interface PackedTensor {
  /** value = (code − 8) · scale with 4 bits, (code − 128) · scale with 8. */
  readonly format: "q4" | "q8";
  readRows(first: number, rows: number, signal?: AbortSignal): Promise<PackedRows>;
}

/** A tensor of a file. Rows of every type are read as f32. */
export interface StoredTensor {
  /** As in the file. */
  readonly name: string;
  /** The name that its format gives the type, for people: `BF16`, `F8_E4M3`, `Q4_K`, `MLX 4-bit group 64`. */
  readonly type: string;
  /** Row-major, output rows first. Counts values, even if codes are stored. */
  readonly shape: readonly number[];
  /** Bytes in the file, including scales and biases. */
  readonly bytes: number;
  /**
   * Rows as f32. A row has all dimensions but the first; a row of a vector is one value.
   * @throws KleinbildError `invalid-shape` beyond the last row
   */
  readRows(first: number, rows: number, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>>;
  readonly packed?: PackedTensor;
}

/** The tensors of a file. Scales and biases belong to their quantized tensor and are not listed themselves. */
export interface TensorFile {
  readonly path: string;
  readonly format: "safetensors" | "gguf";
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The metadata of the header. */
  readonly metadata: ReadonlyMap<string, unknown>;
}
