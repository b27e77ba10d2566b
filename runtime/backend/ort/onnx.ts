/**
 * ONNX models written directly as protobuf (onnx.proto3 of ONNX 1.16): only what the dense graphs need.
 * Field numbers stand beside each message.
 */

export type OnnxType = "float32" | "float16" | "uint8";
type Attribute = number | readonly number[];

export interface OnnxNode {
  readonly op: string;
  readonly domain?: "com.microsoft";
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers become INT or INTS, except names in `floats`. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly floats?: Readonly<Record<string, number>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
  /** A string is a symbolic size. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Scalar constants, by name. */
  readonly constants?: readonly {
    readonly name: string;
    readonly type: "float32" | "float16";
    readonly value: number;
  }[];
}

/** TensorProto.DataType */
const DATA_TYPE: Readonly<Record<OnnxType, number>> = { float32: 1, uint8: 2, float16: 10 };
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;
const IR_VERSION = 10;
const OPSET = 21;

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

function varint(value: number): number[] {
  const bytes = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

const integer = (field: number, value: number): number[] => [...varint(field * 8 + VARINT), ...varint(value)];
const bytes = (field: number, value: readonly number[]): number[] => [
  ...varint(field * 8 + LENGTH_DELIMITED),
  ...varint(value.length),
  ...value,
];
const text = (field: number, value: string): number[] => bytes(field, [...new TextEncoder().encode(value)]);
const float = (field: number, value: number): number[] => [
  ...varint(field * 8 + FIXED_32),
  ...new Uint8Array(new Float32Array([value]).buffer),
];

/** ModelProto { ir_version 1, graph 7, opset_import 8 } */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const opset = (domain: string, version: number): number[] => bytes(8, [...text(1, domain), ...integer(2, version)]);
  return Uint8Array.from([
    ...integer(1, IR_VERSION),
    ...bytes(7, encodeGraph(graph)),
    ...opset("", OPSET),
    ...opset("com.microsoft", 1),
  ]);
}

/** GraphProto { node 1, name 2, initializer 5, input 11, output 12 } */
function encodeGraph(graph: OnnxGraph): number[] {
  return [
    ...graph.nodes.flatMap((node) => bytes(1, encodeNode(node))),
    ...text(2, "kleinbild"),
    ...(graph.constants ?? []).flatMap(({ name, type, value }) => bytes(5, encodeScalar(name, type, value))),
    ...graph.inputs.flatMap((value) => bytes(11, encodeValue(value))),
    ...graph.outputs.flatMap((value) => bytes(12, encodeValue(value))),
  ];
}

/** NodeProto { input 1, output 2, op_type 4, attribute 5, domain 7 } */
function encodeNode(node: OnnxNode): number[] {
  return [
    ...node.inputs.flatMap((name) => text(1, name)),
    ...node.outputs.flatMap((name) => text(2, name)),
    ...text(4, node.op),
    ...Object.entries(node.attributes ?? {}).flatMap(([name, value]) => bytes(5, encodeAttribute(name, value))),
    ...Object.entries(node.floats ?? {}).flatMap(([name, value]) =>
      bytes(5, [...text(1, name), ...float(2, value), ...integer(20, ATTRIBUTE_FLOAT)]),
    ),
    ...(node.domain ? text(7, node.domain) : []),
  ];
}

/** AttributeProto { name 1, f 2, i 3, ints 8, type 20 } */
function encodeAttribute(name: string, value: Attribute): number[] {
  if (typeof value === "number") return [...text(1, name), ...integer(3, value), ...integer(20, ATTRIBUTE_INT)];
  return [...text(1, name), ...value.flatMap((entry) => integer(8, entry)), ...integer(20, ATTRIBUTE_INTS)];
}

/** TensorProto { data_type 2, float_data 4, int32_data 5 (bits of f16), name 8 }, without dims: a scalar */
function encodeScalar(name: string, type: "float32" | "float16", value: number): number[] {
  const data = type === "float32" ? float(4, value) : integer(5, powerOfTwoF16(value));
  return [...integer(2, DATA_TYPE[type]), ...data, ...text(8, name)];
}

/** The f16 bits of a power of two; the only f16 constants that graphs use. */
function powerOfTwoF16(value: number): number {
  const exponent = Math.log2(value);
  if (!Number.isInteger(exponent) || exponent < -14 || exponent > 15)
    throw new RangeError(`f16 constants are powers of two between 2^-14 and 2^15; got ${value}`);
  return (exponent + 15) << 10;
}

/** ValueInfoProto { name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1, dim_param 2 } } } } } */
function encodeValue({ name, type, shape }: OnnxValue): number[] {
  const dims = shape.flatMap((size) => bytes(1, typeof size === "string" ? text(2, size) : integer(1, size)));
  return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, DATA_TYPE[type]), ...bytes(2, dims)]))];
}
