/**
 * dawn.node refuses views of shared memory in `writeBuffer` ("Invalid argument"), and onnxruntime's wasm memory is
 * shared. Seen with webgpu 0.6.2; delete when `queue.writeBuffer` takes a view of a SharedArrayBuffer there.
 */
export function copySharedWrites(device: GPUDevice): void {
  const { queue } = device;
  const writeBuffer = queue.writeBuffer.bind(queue);
  queue.writeBuffer = (buffer, bufferOffset, data, dataOffset, size) => {
    if (ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer) {
      const bytes = new Uint8Array(data.byteLength);
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      const unit = "BYTES_PER_ELEMENT" in data ? Number(data.BYTES_PER_ELEMENT) : 1;
      const start = (dataOffset ?? 0) * unit;
      return writeBuffer(buffer, bufferOffset, bytes, start, size === undefined ? undefined : size * unit);
    }
    return writeBuffer(buffer, bufferOffset, data, dataOffset, size) as undefined;
  };
}

/**
 * onnxruntime-web refuses its WebGPU provider where `navigator.gpu` is missing, even when a device is injected. Seen with
 * 1.30; delete when an injected device is enough. Node 20 has no `navigator` at all.
 */
export function announceGpu(gpu: GPU): void {
  const scope = globalThis as { navigator?: object };
  scope.navigator ??= {};
  if (!("gpu" in scope.navigator)) Object.defineProperty(scope.navigator, "gpu", { value: gpu, configurable: true });
}

/** For this long after a submission dawn.node may poll at every turn of the event loop: short work ends within it. */
const SPIN_MS = 2;
/** The polling interval after that. */
const POLL_MS = 1;

/**
 * dawn.node polls for events by `setImmediate` while anything is awaited. This takes a whole core, even from a driver that
 * computes on the CPU (https://github.com/dawn-gpu/node-webgpu/issues/17). Seen with webgpu 0.6.2; delete when its poll slows
 * down by itself.
 *
 * @returns a function to call at each submission
 */
export function slowPolling(): () => void {
  const { setImmediate } = globalThis;
  let spinUntil = 0;
  const slower = (callback: (...values: unknown[]) => void, ...values: unknown[]): unknown =>
    isNative(callback) && performance.now() > spinUntil
      ? setTimeout(callback, POLL_MS, ...values)
      : setImmediate(callback, ...values);
  globalThis.setImmediate = Object.assign<object, typeof setImmediate>(slower, setImmediate);
  return () => {
    spinUntil = performance.now() + SPIN_MS;
  };
}

/** Whether a function comes from an addon rather than from a script. */
function isNative(callback: (...values: never[]) => unknown): boolean {
  return Function.prototype.toString.call(callback).includes("[native code]");
}
