import { createBackend } from "../../runtime/backend/create-backend.ts";
import type { CaseRun } from "../bench-case.ts";
import { ownKernels } from "../own-kernels.ts";
import { attention } from "./attention.ts";
import { convolution } from "./convolution.ts";
import { linear } from "./linear.ts";
import { groupNorm, headNormRotary, rowNorm } from "./norms.ts";
import type { Operator } from "./operator.ts";
import { OPERATOR_SHAPES, type OperatorShapes } from "./shapes.ts";
import { timeOperator } from "./time-operator.ts";
import { Workspace } from "./workspace.ts";

/** onnxruntime's attention is wrong with smaller subgroups. */
const LEAST_SUBGROUP = 16;

const OPERATORS: readonly ((space: Workspace, shapes: OperatorShapes) => Operator)[] = [
  (space, shapes) => linear(space, "plain", shapes),
  (space, shapes) => linear(space, "q8", shapes),
  (space, shapes) => linear(space, "q4", shapes),
  (space, shapes) => attention(space, shapes, false),
  (space, shapes) => attention(space, shapes, true),
  convolution,
  (space, shapes) => rowNorm(space, "layer", shapes),
  (space, shapes) => rowNorm(space, "rms", shapes),
  headNormRotary,
  groupNorm,
];

/** Times operators on both backends in turn, on the same device and buffers. */
export async function operatorsCase(run: CaseRun): Promise<void> {
  const roofline = await run.roofline();
  const adapter = await run.platform.gpu.requestAdapter({ powerPreference: "high-performance" });
  const small = (adapter?.info.subgroupMinSize ?? LEAST_SUBGROUP) < LEAST_SUBGROUP;
  if (small)
    run.addNote("Subgroups are disabled: onnxruntime's attention is wrong with subgroups as small as on this adapter.");
  await run.withGpu({ withoutFeatures: small ? ["subgroups"] : [] }, async (gpu) => {
    const scalar = gpu.scalarType(run.choice.dtype);
    const hurried = run.choice.seconds < Infinity;
    if (hurried && gpu.adapter.software)
      run.addNote(
        "onnxruntime's attention is left out, because its shader takes minutes to compile on a CPU. Name the case `operators` to include it.",
      );
    const { ortWasmUrl } = run.platform;
    const backends = {
      ort: await createBackend("ort", gpu, scalar, ortWasmUrl),
      wgsl: await ownKernels(run, gpu, scalar),
    };
    const { OrtSessions } = await import("../../runtime/backend/ort/sessions.ts");
    const sessions = await OrtSessions.create(gpu.device, ortWasmUrl);
    try {
      for (const [i, prepare] of OPERATORS.entries()) {
        if (i > 0 && !run.hasTime()) break; // a case gives at least one row
        const space = new Workspace({ gpu, scalar, backends, sessions });
        try {
          const prepared = prepare(space, OPERATOR_SHAPES[run.shapesFor(gpu)]);
          const operator = prepared.slowOnCpu && gpu.adapter.software && hurried ? withoutOrt(prepared) : prepared;
          await gpu.checked(operator.name, () => timeOperator(run, gpu, scalar, operator, roofline));
        } finally {
          space.dispose();
        }
      }
    } finally {
      for (const backend of Object.values(backends)) await backend.dispose();
      await sessions.dispose();
    }
  });
}

function withoutOrt({ runs, ...operator }: Operator): Operator {
  const { ort: _, ...others } = runs;
  return { ...operator, runs: others };
}
