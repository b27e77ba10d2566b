/** bf16 to f32. bf16 is the upper half of an f32. */
export function bf16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

/** Every f16 value by its bits, built on first use. */
let f16Values: Float32Array | undefined;

function f16Table(): Float32Array {
  if (f16Values) return f16Values;
  const table = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) table[bits] = fraction === 0 ? sign * Infinity : NaN;
    else table[bits] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  f16Values = table;
  return table;
}

/** f16 bits to f32. */
export function f16ToF32(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const table = f16Table();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
  return values;
}

/** One f16 from its bytes. */
export function f16Value(low: number, high: number): number {
  return f16Table()[low | (high << 8)]!;
}

/** Every f8 E4M3 value by its bits: 4 exponent bits with bias 7, no infinities, NaN if all bits but the sign are set. */
let e4m3Values: Float32Array | undefined;

function e4m3Table(): Float32Array {
  if (e4m3Values) return e4m3Values;
  const table = new Float32Array(256);
  for (let bits = 0; bits < 256; bits++) {
    const sign = bits & 0x80 ? -1 : 1;
    const exponent = (bits >> 3) & 15;
    const fraction = bits & 7;
    if (exponent === 15 && fraction === 7) table[bits] = NaN;
    else table[bits] = exponent === 0 ? sign * fraction * 2 ** -9 : sign * (8 + fraction) * 2 ** (exponent - 10);
  }
  e4m3Values = table;
  return table;
}

/** f8 E4M3 (the `fn` kind of PyTorch and OCP) to f32. */
export function e4m3ToF32(bits: Uint8Array): Float32Array<ArrayBuffer> {
  const table = e4m3Table();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]!]!;
  return values;
}

/** f8 E5M2 to f32. E5M2 is the upper half of an f16. */
export function e5m2ToF32(bits: Uint8Array): Float32Array<ArrayBuffer> {
  const table = f16Table();
  const values = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) values[i] = table[bits[i]! << 8]!;
  return values;
}

const MAX_F16_BITS = 0x7bff;

/** f32 to f16, rounded to nearest, ties to even. Values beyond ±65504 saturate, because weights must stay finite. NaN stays NaN. */
export function f32ToF16(values: Float32Array<ArrayBuffer>): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude > 0x7f800000) bits[i] = sign | 0x7e00;
    else if (magnitude >= 0x38800000) {
      // normal: rebias the exponent and round off 13 bits
      const rounded = (magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)) >>> 13;
      bits[i] = sign | Math.min(rounded, MAX_F16_BITS);
    } else bits[i] = sign | roundToEven(Math.abs(values[i]!) * 2 ** 24); // subnormal: a multiple of 2^-24
  }
  return bits;
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
