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
