import type { CaseRun } from "../bench-case.ts";
import { Probe } from "./probes.ts";
import source from "./probes/subgroup-matrix.wgsl?raw";

/** A matrix product in hardware: [M, K] · [K, N], summed in the type of the result. */
export interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** An experimental feature of Chromium, which WebGPU's types do not have. */
export const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix" as GPUFeatureName;
const FLOATS: ReadonlySet<string> = new Set(["f16", "f32"]);
const WORKGROUP_LANES = 128;
const CHAINS = 4;

/** Adds a row for each configuration with floats. A note says if the adapter lists none or the browser rejects the WGSL. */
export async function subgroupMatrixRows(run: CaseRun): Promise<void> {
  const adapter = await run.platform.gpu.requestAdapter({ powerPreference: "high-performance" });
  const info = adapter?.info as { readonly subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> } | undefined;
  const configs = adapter?.features.has(SUBGROUP_MATRIX) ? [...(info?.subgroupMatrixConfigs ?? [])] : [];
  const inFloats = configs.filter((config) => FLOATS.has(config.componentType));
  if (inFloats.length === 0) return run.addNote("The adapter lists no subgroup-matrix configurations in floats.");
  await run.withGpu({ moreFeatures: [SUBGROUP_MATRIX] }, async (gpu) => {
    const probe = new Probe(gpu);
    try {
      for (const config of inFloats) {
        const { componentType, resultComponentType, M, N, K } = config;
        const name = `subgroup matrices, ${M} × ${N} × ${K}, ${componentType} into ${resultComponentType}`;
        const module = gpu.device.createShaderModule({ label: name, code: subgroupMatrixCode(config) });
        const { messages } = await module.getCompilationInfo();
        const error = messages.find(({ type }) => type === "error");
        if (error) {
          run.addNote(`${name}: ${error.message}`);
          continue;
        }
        const pipeline = gpu.device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
        const perSubgroup = CHAINS * 2 * M * N * K;
        const lanes = await probe.lastOutput(pipeline, resultComponentType === "f16" ? "f16" : "f32");
        const value = await probe.rate(pipeline, (probe.groups * WORKGROUP_LANES * perSubgroup) / lanes);
        run.addRow({ labels: { probe: name }, figures: { rate: { value, unit: "GFLOP/s" } } });
      }
    } finally {
      probe.dispose();
    }
  });
}

/** The WGSL of the probe for a configuration. */
export function subgroupMatrixCode(config: SubgroupMatrixConfig): string {
  const { componentType, resultComponentType, M, N, K } = config;
  const code = source
    .replace("alias component = f16;", `alias component = ${componentType};`)
    .replace("alias result = f32;", `alias result = ${resultComponentType};`)
    .replace("const M = 16u;", `const M = ${M}u;`)
    .replace("const N = 16u;", `const N = ${N}u;`)
    .replace("const K = 16u;", `const K = ${K}u;`);
  // without f16 in the configuration, the adapter may not support it
  return [componentType, resultComponentType].includes("f16") ? code : code.replace("enable f16;\n", "");
}
