import type { DenseBackend } from "../runtime/backend/backend.ts";
import { openDenseBackend } from "../runtime/autotune/open-dense-backend.ts";
import type { Gpu } from "../runtime/gpu/device.ts";
import type { ScalarType } from "../runtime/gpu/tensor.ts";
import { KLEIN_4B } from "./klein-configs.ts";
import type { CaseRun } from "./bench-case.ts";

/** Our kernels with the tiles that an engine for klein 4B in 4 bits has on this adapter. Notes list the candidates. */
export async function ownKernels(run: CaseRun, gpu: Gpu, scalar: ScalarType): Promise<DenseBackend> {
  const { signal } = run;
  const setup = { gpu, scalar, backend: "wgsl", quantization: "q4", config: KLEIN_4B, signal } as const;
  const { backend, report } = await openDenseBackend(setup);
  for (const [operator, { implementation, candidates }] of Object.entries(report)) {
    if (candidates.length === 0) continue; // there was only one
    const results = candidates.map(
      ({ name, milliseconds, refused }) => `${name} ${refused ?? `${milliseconds!.toPrecision(3)} ms`}`,
    );
    run.addNote(
      `Tiles of ${operator} operators in ${scalar}: ${implementation}, the fastest of ${results.join(", ")}.`,
    );
  }
  return backend;
}
