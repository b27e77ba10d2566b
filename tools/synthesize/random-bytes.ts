import { generator, hash, normal } from "../../bench/seeded-random.ts";
import type { TensorToWrite } from "./tensors-to-write.ts";

/** Values that are drawn and encoded once. Tensors repeat their bytes from different offsets. */
const POOL_VALUES = 1 << 18;
const CHUNK_BYTES = 4 << 20;

/** Bytes of tensors with seeded normal values, as fast as bytes can be copied. */
export class RandomBytes {
  readonly #seed: number;
  readonly #pools = new Map<string, Uint8Array>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The bytes in chunks, the same for the same seed and name. */
  *bytesOf(tensor: TensorToWrite): Generator<Uint8Array> {
    const { encoding, bytes, name } = tensor;
    if (encoding.blockValues === Infinity) {
      yield encoding.encode(new Float32Array(1));
      return;
    }
    const pool = this.#pool(tensor);
    const blocks = pool.length / encoding.blockBytes;
    // codes, scales and biases of a tensor start at the same group
    const base = name.replace(/\.(weight|scales|biases)$/, "");
    let at = (hash(`${this.#seed} ${base}`) % blocks) * encoding.blockBytes;
    for (let left = bytes; left > 0;) {
      const piece = pool.subarray(at, Math.min(pool.length, at + left, at + CHUNK_BYTES));
      yield piece;
      left -= piece.length;
      at = (at + piece.length) % pool.length;
    }
  }

  #pool({ encoding, values, role }: TensorToWrite): Uint8Array {
    const inputs = values.shape.slice(1).reduce((all, size) => all * size, 1);
    // layers preserve the variance of activations; norms are near one, biases near zero
    const isBias = values.name.endsWith(".bias");
    const [mean, spread] =
      role === "vector" ? (isBias ? [0, 0.01] : [1, 0.01]) : [0, role === "table" ? 0.02 : 1 / Math.sqrt(inputs)];
    const key = `${String(encoding.dtype)} ${encoding.suffix} ${mean} ${spread} ${encoding.blockValues}`;
    const known = this.#pools.get(key);
    if (known) return known;
    const next = generator(hash(`${this.#seed} pool`));
    const pool = encoding.encode(Float32Array.from({ length: POOL_VALUES }, () => mean + spread * normal(next)));
    this.#pools.set(key, pool);
    return pool;
  }
}
