import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";

interface WgslBinding {
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly access: string;
}

/** What a shader declares, in the order of its text. */
export interface WgslDeclarations {
  readonly storage: readonly WgslBinding[];
  readonly uniforms: readonly {
    readonly name: string;
    readonly group: number;
    readonly binding: number;
    readonly members: readonly (readonly [name: string, type: string])[];
  }[];
  readonly overrides: Readonly<Record<string, number>>;
  readonly entryPoints: readonly string[];
  readonly workgroupSize: readonly number[];
  readonly workgroupBytes: number;
}

/** wgsl_reflect 1.6 refuses `block` as a name in an expression (drafts of WGSL had it as a keyword), and products in attributes. */
function parseable(source: string): string {
  return source.replaceAll(/\bblock\b/g, "block_").replaceAll(/@workgroup_size\(.*\)$/gm, "@workgroup_size(1)");
}

/** Reflects WGSL; overrides have their default values. */
export function reflect(source: string): WgslDeclarations {
  const shader = new WgslReflect(parseable(source));
  const constants = namedConstants(source);
  const [main] = shader.entry.compute;
  const { vertex, fragment, compute } = shader.entry;
  return {
    storage: shader.storage.map(({ name, group, binding, access }) => ({ name, group, binding, access })),
    uniforms: shader.uniforms.map(({ name, group, binding, members }) => ({
      name,
      group,
      binding,
      members: (members ?? []).map((member) => [member.name, member.type.getTypeName()] as const),
    })),
    overrides: Object.fromEntries(shader.overrides.map(({ name }) => [name, constants.get(name)!])),
    entryPoints: [...vertex, ...fragment, ...compute].map(({ name }) => name),
    workgroupSize: workgroupSize(source, constants, main?.name ?? "main"),
    workgroupBytes: workgroupBytes(source, constants),
  };
}

/** The values of `override` and `const` numbers at module scope. */
function namedConstants(code: string): ReadonlyMap<string, number> {
  const constants = new Map<string, number>();
  for (const [, name, expression] of code.matchAll(/^(?:override|const) (\w+)(?:: \w+)? = (.+?);/gm))
    constants.set(name!, evaluate(expression!, constants));
  return constants;
}

function workgroupSize(code: string, constants: ReadonlyMap<string, number>, entry: string): readonly number[] {
  const declaration = new RegExp(`@workgroup_size\\((.*)\\)\\s*fn ${entry}\\b`).exec(code);
  if (!declaration) throw new Error(`wgsl: ${entry} has no @workgroup_size`);
  return declaration[1]!.split(",").map((size) => evaluate(size, constants));
}

/** Bytes of all workgroup variables, each rounded up to 16. */
function workgroupBytes(code: string, constants: ReadonlyMap<string, number>): number {
  let bytes = 0;
  for (const [, type] of code.matchAll(/^var<workgroup> \w+: (.+);/gm))
    bytes += Math.ceil(typeBytes(type!, constants) / 16) * 16;
  return bytes;
}

/** Sizes of scalars and vectors as array elements: a vec3 takes the room of a vec4. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  u32: 4,
  i32: 4,
  f32: 4,
  scalar: 4,
  "vec2<scalar>": 8,
  "vec4<scalar>": 16,
  vec2f: 8,
  vec3f: 16,
  vec4f: 16,
  vec2u: 8,
  vec3u: 16,
  vec4u: 16,
  "atomic<u32>": 4,
};

function typeBytes(type: string, constants: ReadonlyMap<string, number>): number {
  const array = /^array<(.+), ([^<>]+)>$/.exec(type);
  if (array) return typeBytes(array[1]!, constants) * evaluate(array[2]!, constants);
  const bytes = ELEMENT_BYTES[type];
  if (bytes === undefined) throw new Error(`wgsl: the size of ${type} is not known here; add it`);
  return bytes;
}

/** A WGSL expression of numbers, names, + − * / % and parentheses; divisions of `u` numbers are whole. */
export function evaluate(expression: string, constants: ReadonlyMap<string, number>): number {
  const tokens = expression.match(/[A-Za-z_]\w*|[\d.]+(?:e[+-]?\d+)?[ufih]?|[-+*/%()]/g) ?? [];
  let at = 0;
  const primary = (): number => {
    const token = tokens[at++];
    if (token === "-") return -primary();
    if (token === "(") {
      const value = sum();
      at++;
      return value;
    }
    const value = constants.get(token ?? "") ?? Number.parseFloat(token ?? "");
    if (Number.isNaN(value)) throw new Error(`wgsl: cannot evaluate ${expression}`);
    return value;
  };
  const product = (): number => {
    let value = primary();
    for (let sign = tokens[at]; sign === "*" || sign === "/" || sign === "%"; sign = tokens[at]) {
      at++;
      const right = primary();
      value = sign === "*" ? value * right : sign === "/" ? Math.trunc(value / right) : value % right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    for (let sign = tokens[at]; sign === "+" || sign === "-"; sign = tokens[at]) {
      at++;
      value += sign === "+" ? product() : -product();
    }
    return value;
  };
  return sum();
}
