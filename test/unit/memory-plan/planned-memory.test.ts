import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GpuMemory, type MemoryScope } from "../../../runtime/gpu/memory.ts";
import type { Tensor } from "../../../runtime/gpu/tensor.ts";
import { PlannedMemory, type PlannedScope } from "../../../runtime/memory-plan/ledger.ts";
import { OrtPool } from "../../../runtime/memory-plan/ort-pool.ts";

/** A ledger over buffers that are nothing but their size. */
function realMemory(): GpuMemory {
  const device = {
    limits: { maxBufferSize: 2 ** 30 },
    createBuffer: ({ size }: { readonly size: number }) => ({ size, destroy: () => {} }),
  };
  return new GpuMemory(device as unknown as GPUDevice, 2 ** 30);
}

/** What can happen to scopes; numbers pick among what is there. */
const action = fc.oneof(
  fc.record({ kind: fc.constant("open" as const) }),
  fc.record({ kind: fc.constant("take" as const), scope: fc.nat(), elements: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("release" as const), scope: fc.nat(), tensor: fc.nat() }),
  fc.record({ kind: fc.constantFrom("trim" as const, "dispose" as const), scope: fc.nat() }),
);

interface Twin {
  readonly real: MemoryScope;
  readonly planned: PlannedScope;
  readonly held: { readonly tensor: Tensor; readonly bytes: number }[];
}

describe("planned memory", () => {
  it("counts what the ledger counts, whatever scopes do", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const real = realMemory();
        const planned = new PlannedMemory();
        const twins: Twin[] = [];
        const pick = <T>(items: readonly T[], index: number): T | undefined => items[index % Math.max(1, items.length)];
        for (const step of actions) {
          if (step.kind === "open") {
            twins.push({ real: real.scope(), planned: planned.scope(), held: [] });
            continue;
          }
          const twin = pick(twins, step.scope);
          if (!twin) continue;
          if (step.kind === "take")
            twin.held.push({
              tensor: twin.real.tensor("x", "f16", [step.elements, 3]),
              bytes: twin.planned.tensor("f16", [step.elements, 3]),
            });
          else if (step.kind === "release") {
            const [taken] = twin.held.splice(step.tensor % Math.max(1, twin.held.length), 1);
            if (!taken) continue;
            twin.real.release(taken.tensor);
            twin.planned.release(taken.bytes);
          } else if (step.kind === "trim") {
            twin.real.trim();
            twin.planned.trim();
          } else {
            twin.real.dispose();
            twin.planned.dispose();
            twins.splice(twins.indexOf(twin), 1);
          }
          const { currentBytes, peakBytes, byCategory } = real.report();
          expect([planned.currentBytes, planned.peakBytes]).toEqual([currentBytes, peakBytes]);
          expect(planned.peakByPart.activations).toBe(byCategory.activations?.peakBytes);
        }
      }),
    );
  });

  it("starts a stage from what is there", () => {
    const memory = new PlannedMemory();
    memory.allocate("vae", 100);
    memory.allocate("transfer", 7);
    memory.free("transfer", 7);
    memory.startStage();
    expect(memory.peakBytes).toBe(100);
    expect(memory.peakByPart).toEqual({ vae: 100 });
  });
});

describe("the pool of onnxruntime", () => {
  const after = (...runs: readonly (readonly number[])[]): { readonly current: number; readonly peak: number } => {
    const memory = new PlannedMemory();
    const pool = new OrtPool(memory);
    const small = memory.currentBytes;
    for (const run of runs) pool.run(run);
    return { current: memory.currentBytes - small, peak: memory.peakBytes - small };
  };

  it("rounds up to its sizes, and keeps as many buffers of each as one run has taken", () => {
    expect(after([64]).current).toBe(64);
    expect(after([65]).current).toBe(128);
    expect(after([513]).current).toBe(2048);
    expect(after([300, 400], [500]).current).toBe(2 * 512);
    expect(after([300], [400, 500]).current).toBe(2 * 512);
    expect(after([300], [4096]).current).toBe(512 + 4096);
  });

  it("keeps none above its largest size", () => {
    expect(after([167_772_160])).toEqual({ current: 167_772_160, peak: 167_772_160 });
    expect(after([167_772_161])).toEqual({ current: 0, peak: 167_772_176 });
  });
});
