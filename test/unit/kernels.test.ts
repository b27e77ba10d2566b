import { describe, expect, it } from "vitest";
import { KERNELS } from "../../kernels/index.ts";
import { INCLUDES, type Kernel, kernelSource } from "../../kernels/kernel.ts";
import README from "../../kernels/README.md?raw";
import { evaluate, reflect } from "../support/wgsl.ts";

const FILES = import.meta.glob<string>("../../kernels/*.wgsl", { query: "?raw", import: "default", eager: true });
const INCLUDE_FILES = import.meta.glob<string>("../../kernels/include/*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** Limits that every WebGPU adapter supports. */
const BASELINE = { invocations: 256, workgroupBytes: 16_384, storageBuffers: 8 } as const;
const MAX_UNIFORM_BYTES = 256; // a slot of the recorder
const MODEL_NAMES = /flux|klein|qwen|mistral|bfl|stable.?diffusion|\b[49]b\b/i;

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1, -".wgsl".length);

const F32 = { scalar: "f32", residual: "f32" } as const;

describe("the kernels on disk", () => {
  it("are those that index.ts lists, each once", () => {
    expect(KERNELS.map(({ name }) => name).toSorted()).toEqual(Object.keys(FILES).map(baseName).toSorted());
  });

  it("include the files of include/, each once, and all of them are used", () => {
    expect([...INCLUDES.keys()].toSorted()).toEqual(Object.keys(INCLUDE_FILES).map(baseName).toSorted());
    for (const [path, text] of Object.entries(INCLUDE_FILES)) {
      expect(INCLUDES.get(baseName(path))).toBe(text);
      expect(KERNELS.some(({ source }) => source.includes(`//#include "${baseName(path)}"`))).toBe(true);
    }
  });
});

describe("kernels/README.md", () => {
  it("lists every kernel and include once", () => {
    const listed = [...README.matchAll(/^\| `([\w/-]+)`/gm)].map(([, name]) => name!);
    const includes = [...INCLUDES.keys()].map((name) => `include/${name}`);
    expect(listed.toSorted()).toEqual([...KERNELS.map(({ name }) => name), ...includes].toSorted());
  });
});

describe.each(KERNELS.map((kernel) => [kernel.name, kernel] as const))("%s.wgsl", (name, kernel) => {
  const declared = () => reflect(kernelSource(kernel, F32));

  it("is the source that index.ts gives under this name", () => {
    expect(kernel.source).toBe(FILES[`../../kernels/${name}.wgsl`]);
  });

  it("binds what index.ts says, in its order, from binding 0 of group 0", () => {
    const expected = Object.entries(kernel.bindings).map(([binding, access], i) => ({
      name: binding,
      group: 0,
      binding: i,
      access,
    }));
    expect(declared().storage).toEqual(expected);
  });

  it("has one uniform struct behind them, with the parameters of index.ts in their order", () => {
    const { uniforms } = declared();
    expect(uniforms).toEqual([
      {
        name: "parameters",
        group: 0,
        binding: Object.keys(kernel.bindings).length,
        members: Object.entries(kernel.parameters),
      },
    ]);
    expect(4 * Object.keys(kernel.parameters).length).toBeLessThanOrEqual(MAX_UNIFORM_BYTES);
  });

  it("has the overrides of index.ts with the same defaults", () => {
    expect(declared().overrides).toEqual(kernel.overrides);
  });

  it("has workgroups of the size that index.ts says", () => {
    const constants = new Map<string, number>(Object.entries(kernel.overrides));
    expect(declared().workgroupSize).toEqual([evaluate(String(kernel.workgroupSize), constants)]);
  });

  it("enters at main, within the baseline limits at the defaults", () => {
    const { entryPoints, workgroupSize, workgroupBytes, storage } = declared();
    expect(entryPoints).toEqual(["main"]);
    expect(workgroupSize.reduce((product, size) => product * size, 1)).toBeLessThanOrEqual(BASELINE.invocations);
    expect(workgroupBytes).toBeLessThanOrEqual(BASELINE.workgroupBytes);
    expect(storage.length).toBeLessThanOrEqual(BASELINE.storageBuffers);
  });

  it("declares the scalar types that it uses as aliases for f32", () => {
    const aliases = kernel.source.split("\n").filter((line) => line.startsWith("alias "));
    const names = ["scalar", "residual"].filter((type) => new RegExp(`\\b${type}\\b`).test(codeOf(kernel)));
    expect(aliases).toEqual(names.map((type) => `alias ${type} = f32;`));
  });

  it("names no model", () => {
    expect(kernel.source).not.toMatch(MODEL_NAMES);
  });

  it("changes by type in the aliases only", () => {
    const f16 = kernelSource(kernel, { scalar: "f16", residual: "f16" });
    expect(f16.startsWith("enable f16;\n")).toBe(true);
    expect(f16.slice("enable f16;\n".length)).toBe(
      kernelSource(kernel, F32)
        .replace("alias scalar = f32;", "alias scalar = f16;")
        .replace("alias residual = f32;", "alias residual = f16;"),
    );
  });
});

/** A kernel without its comments. */
const codeOf = (kernel: Kernel): string => kernel.source.replaceAll(/\/\/.*/g, "");

describe("kernelSource", () => {
  it("puts an include in the place of its line, with nothing else changed", () => {
    const source = 'var<private> before: f32;\n//#include "welford"\nfn after() {}\n';
    expect(kernelSource({ name: "test", source }, F32)).toBe(
      `var<private> before: f32;\n${INCLUDES.get("welford")!.trimEnd()}\nfn after() {}\n`,
    );
  });

  it.each(['//#include "weldorf"', '//#include ""', '//#include "constructor"', '//#include "../kernels/silu"'])(
    "refuses %s and says what there is",
    (line) => {
      expect(() => kernelSource({ name: "test", source: `${line}\n` }, F32)).toThrow(
        "the includes are blocks, lane-sum, linear, matmul, welford",
      );
    },
  );

  it("leaves an include within a line or a longer comment alone", () => {
    const source = 'fn f() {} //#include "welford"\n// //#include "welford"\n';
    expect(kernelSource({ name: "test", source }, F32)).toBe(source);
  });
});

describe("the tests' own reading of WGSL", () => {
  it("evaluates sizes with names, precedence and whole divisions", () => {
    const constants = new Map([
      ["LANES", 8],
      ["TILE", 64],
    ]);
    expect(evaluate("LANES * (TILE + 1u)", constants)).toBe(520);
    expect(evaluate("LANES + TILE * 2u - 1u", constants)).toBe(135);
    expect(evaluate("LANES * TILE / 4u / 3u % 7u", constants)).toBe(0);
    expect(evaluate("-1.5e2", constants)).toBe(-150);
    expect(() => evaluate("LANES * OTHER", constants)).toThrow("cannot evaluate");
  });

  it("counts workgroup memory and invocations from overrides and constants", () => {
    const { workgroupBytes, workgroupSize, overrides } = reflect(`
override TILE: u32 = 4;
const LANES = 2u * TILE;
var<workgroup> rows: array<vec3f, TILE>;
var<workgroup> sum: array<f32, LANES + 1u>;
@compute @workgroup_size(LANES, 2)
fn main() { rows[0] = vec3f(1.0); sum[0] = 1.0; }
`);
    expect(workgroupBytes).toBe(4 * 16 + 48);
    expect(workgroupSize).toEqual([8, 2]);
    expect(overrides).toEqual({ TILE: 4 });
  });
});
