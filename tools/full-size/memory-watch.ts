/** Samples the peak memory of JavaScript and WebAssembly in this process, without GPU buffers. */
export class MemoryWatch {
  readonly #memories: WebAssembly.Memory[] = [];
  readonly #timer: NodeJS.Timeout;
  #peak = { heapBytes: 0, arrayBufferBytes: 0, wasmBytes: 0, totalBytes: 0 };

  constructor(everyMs = 50) {
    const memories = this.#memories;
    const { Memory } = WebAssembly;
    // onnxruntime creates its memory with this constructor
    WebAssembly.Memory = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        memories.push(this);
      }
    };
    this.#timer = setInterval(() => this.sample(), everyMs);
    this.#timer.unref();
  }

  sample(): void {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const wasmBytes = this.#memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    const totalBytes = heapUsed + arrayBuffers + wasmBytes;
    this.#peak = {
      heapBytes: Math.max(this.#peak.heapBytes, heapUsed),
      arrayBufferBytes: Math.max(this.#peak.arrayBufferBytes, arrayBuffers),
      wasmBytes: Math.max(this.#peak.wasmBytes, wasmBytes),
      totalBytes: Math.max(this.#peak.totalBytes, totalBytes),
    };
  }

  /** Peaks since the last call. */
  take(): { heapBytes: number; arrayBufferBytes: number; wasmBytes: number; totalBytes: number } {
    this.sample();
    const peak = this.#peak;
    this.#peak = { heapBytes: 0, arrayBufferBytes: 0, wasmBytes: 0, totalBytes: 0 };
    return peak;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
