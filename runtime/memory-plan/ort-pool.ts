import type { PlannedMemory } from "./ledger.ts";

/**
 * Sizes to which onnxruntime rounds the buffers of intermediate values up, and which it keeps for its next runs until its
 * last session is released (`BUCKET_DEFAULT_LIMIT_TABLE` in its buffer_manager.cc, 1.30).
 */
const BUCKETS = [
  64, 128, 256, 512, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152,
  4_194_304, 8_388_608, 12_582_912, 16_777_216, 26_214_400, 33_554_432, 44_236_800, 58_982_400, 67_108_864, 134_217_728,
  167_772_160,
] as const;
/** Uniforms and scalar constants of its sessions: some tens of bytes for each kernel of each graph. */
const SMALL_BUFFERS_BYTES = 16_384;

/** What onnxruntime allocates on the device by itself: its runs' intermediate values, in buffers that it keeps. */
export class OrtPool {
  readonly #memory: PlannedMemory;
  /** Buffers of each bucket. */
  readonly #kept = new Map<number, number>();

  constructor(memory: PlannedMemory) {
    this.#memory = memory;
    memory.allocate("onnxruntime", SMALL_BUFFERS_BYTES);
  }

  /** One run of a session, whose intermediate values [bytes] are all there until its submission is over. */
  run(intermediates: readonly number[]): void {
    const wanted = new Map<number, number>();
    let beyond = 0;
    for (const bytes of intermediates) {
      const bucket = BUCKETS.find((size) => size >= bytes);
      if (bucket === undefined) beyond += Math.ceil(bytes / 16) * 16;
      else wanted.set(bucket, (wanted.get(bucket) ?? 0) + 1);
    }
    for (const [bucket, count] of wanted) {
      const more = count - (this.#kept.get(bucket) ?? 0);
      if (more <= 0) continue;
      this.#kept.set(bucket, count);
      this.#memory.allocate("onnxruntime", more * bucket);
    }
    if (beyond === 0) return;
    this.#memory.allocate("onnxruntime", beyond);
    this.#memory.free("onnxruntime", beyond);
  }
}
