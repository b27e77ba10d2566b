/** Values that PyTorch turns from uniform to normal together; a shorter tensor takes the scalar path. */
const BLOCK = 16;
const HALF = BLOCK / 2;

/**
 * The values of `torch.randn(length, generator=torch.Generator("cpu").manual_seed(seed))` in float32, to 1e-5
 * (logarithm and cosine are computed in f64 here, in f32 there). A tensor of another shape has the same values in
 * row-major order. The generator keeps only the low 32 bits of the seed.
 *
 * After `normal_fill` and `normal_distribution` of PyTorch
 * (https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/cpu/DistributionTemplates.h and
 * ATen/core/DistributionsHelper.h).
 *
 * @returns [length]
 */
export function torchNoise(seed: bigint, length: number): Float32Array {
  return new TorchGenerator(seed).normal(length);
}

/** PyTorch's CPU generator. Draws follow one another, as between the calls of a pipeline. */
export class TorchGenerator {
  readonly #generator: MersenneTwister;

  constructor(seed: bigint) {
    this.#generator = new MersenneTwister(Number(BigInt.asUintN(32, seed)));
  }

  /** The next `torch.randn(length)`. */
  normal(length: number): Float32Array {
    return length < BLOCK ? drawSingly(this.#generator, length) : drawInBlocks(this.#generator, length);
  }
}

/**
 * All uniforms of 24 bits first, then Box–Muller in blocks of 16, value j with value j + 8. When the length is no
 * multiple of 16, the last 16 values are drawn again, over some that were already finished.
 */
function drawInBlocks(generator: MersenneTwister, length: number): Float32Array {
  const values = new Float32Array(length);
  const fill = (from: number) => {
    for (let i = from; i < length; i++) values[i] = (generator.draw() & 0xffffff) * 2 ** -24;
  };
  fill(0);
  for (let start = 0; start + BLOCK <= length; start += BLOCK) toNormal(values.subarray(start, start + BLOCK));
  if (length % BLOCK !== 0) {
    fill(length - BLOCK);
    toNormal(values.subarray(length - BLOCK));
  }
  return values;
}

/** Box–Muller in place over 16 uniforms of [0, 1). */
function toNormal(block: Float32Array): void {
  for (let j = 0; j < HALF; j++) {
    const radius = Math.sqrt(-2 * Math.log(1 - block[j]!));
    const angle = 2 * Math.PI * block[j + HALF]!;
    block[j] = radius * Math.cos(angle);
    block[j + HALF] = radius * Math.sin(angle);
  }
}

/** Uniforms of 53 bits; each pair of them gives two values, the cosine first. */
function drawSingly(generator: MersenneTwister, length: number): Float32Array {
  const values = new Float32Array(length);
  const uniform = () => {
    const high = generator.draw() & 0x1fffff;
    return (high * 2 ** 32 + generator.draw()) * 2 ** -53;
  };
  for (let i = 0; i < length; i += 2) {
    const angle = 2 * Math.PI * uniform();
    const radius = Math.sqrt(-2 * Math.log1p(-uniform()));
    values[i] = radius * Math.cos(angle);
    if (i + 1 < length) values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}

const STATE_WORDS = 624;
const MIDDLE = 397;

/**
 * MT19937, 32 bits a draw: Matsumoto and Nishimura 1998, "Mersenne Twister", seeded as in their 2002 revision.
 */
export class MersenneTwister {
  readonly #state = new Uint32Array(STATE_WORDS);
  #next = STATE_WORDS;

  /** @param seed unsigned 32 bit */
  constructor(seed: number) {
    const state = this.#state;
    state[0] = seed;
    for (let i = 1; i < STATE_WORDS; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
  }

  /** The next unsigned 32-bit integer. */
  draw(): number {
    if (this.#next === STATE_WORDS) this.#twist();
    let word = this.#state[this.#next++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #twist(): void {
    const state = this.#state;
    for (let i = 0; i < STATE_WORDS; i++) {
      const mixed = (state[i]! & 0x80000000) | (state[(i + 1) % STATE_WORDS]! & 0x7fffffff);
      state[i] = state[(i + MIDDLE) % STATE_WORDS]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}
