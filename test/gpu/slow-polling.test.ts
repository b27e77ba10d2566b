import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { accumulate } from "../../kernels/index.ts";
import { upload, useGpu } from "../support/gpu.ts";

describe("the polling of dawn.node", () => {
  const gpu = useGpu();

  it("takes less than half of the turns of the event loop that it would take without a pause", async () => {
    const x = upload(gpu(), "f32", [1 << 20], new Float32Array(1 << 20));
    const work = async (): Promise<number> => {
      gpu().recorder.flush();
      for (let i = 0; i < 40; i++)
        gpu().recorder.dispatch(accumulate, {
          bindings: { x, accumulator: sum },
          parameters: { count: 1 << 20, a: 1, b: 1 },
          grid: [1 << 14],
        });
      const started = performance.now();
      await gpu().recorder.settle();
      return performance.now() - started;
    };
    const sum = upload(gpu(), "f32", [1 << 20], new Float32Array(1 << 20));
    await work(); // compiles
    const before = performance.eventLoopUtilization();
    expect(await work()).toBeGreaterThan(5); // longer than it spins
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
  });

  it("leaves setImmediate as it is for scripts", async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      setTimeout(() => (order.push("timeout"), resolve()), 5);
    });
    setImmediate((value: string) => void order.push(value), "immediate");
    clearImmediate(setImmediate(() => void order.push("cleared")));
    expect(await promisify(setImmediate)("promised")).toBe("promised");
    await done;
    expect(order).toEqual(["immediate", "timeout"]);
  });
});
