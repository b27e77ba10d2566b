import { Attention } from "../../runtime/backend/attention.ts";
import type { OnnxGraph } from "../../runtime/backend/ort/onnx.ts";
import { FLOAT_TYPES, type Operator, sampled } from "./operator.ts";
import type { OperatorShapes } from "./shapes.ts";
import type { Workspace } from "./workspace.ts";

type Values = Float32Array<ArrayBuffer>;
/** Keys and values of some tokens, [tokens, heads · d] each. */
type Segment = readonly [keys: Values, values: Values];

/**
 * Prompt and picture attend to themselves and, if `withCached`, to cached references. Our kernel reads keys and values in the
 * segments that `head-norm-rope` writes. onnxruntime's MultiHeadAttention reads one tensor, as a linear layer writes it.
 */
export function attention(space: Workspace, shapes: OperatorShapes, withCached: boolean): Operator {
  const { heads, headDim, text, target, cached } = shapes;
  const { gpu, scope, scalar } = space;
  const width = heads * headDim;
  const rows = text + target;
  const lengths = withCached ? [text, cached, target] : [rows];
  const keys = lengths.reduce((sum, length) => sum + length, 0);
  const queries = space.random(rows * width);
  const segments = lengths.map((length): Segment => [space.random(length * width), space.random(length * width)]);

  const kernel = new Attention(gpu, scalar, { heads, kvHeads: heads, headDim, pairs: "adjacent", eps: 1e-6 });
  const headMajor = kernel.queries(scope, rows);
  space.fillHeads(headMajor, [queries], heads, headDim);
  const keySegments = segments.map((segment, i) => {
    const keysValues = kernel.keysValues(scope, lengths[i]!);
    space.fillHeads(keysValues, segment, heads, headDim);
    return { keysValues, length: lengths[i]! };
  });
  const output = space.tensor([rows, width]);
  const out = { dtype: scalar, rows, columns: width, rowsPerChunk: rows, chunks: [output] };

  const joined = ([0, 1] as const).map((side) => join(segments.map((segment) => segment[side])));
  const [allKeys, allValues] = joined as [Values, Values];
  const operand = (values: Values, tokens: number) => ({ tensor: space.upload([1, tokens, width], values) });
  const inputs = { q: operand(queries, rows), k: operand(allKeys, keys), v: operand(allValues, keys) };
  const type = FLOAT_TYPES[scalar];
  const value = (name: string, tokens: number) => ({ name, type, shape: [1, tokens, width] });
  const graph = (): OnnxGraph => ({
    nodes: [
      {
        op: "MultiHeadAttention",
        domain: "com.microsoft",
        inputs: ["q", "k", "v"],
        outputs: ["y"],
        attributes: { num_heads: heads },
      },
    ],
    inputs: [value("q", rows), value("k", keys), value("v", keys)],
    outputs: [value("y", rows)],
  });
  return {
    name: withCached ? "attention with cached references" : "attention",
    shape: `${heads} heads of ${headDim}, ${rows} queries, ${lengths.join(" + ")} keys`,
    work: { operations: 4 * rows * keys * width },
    slowOnCpu: true,
    runs: {
      async ort() {
        gpu.recorder.flush();
        const y = { tensor: output, shape: [1, rows, width] };
        await space.sessions.run(`attention to ${keys}`, graph, inputs, { y });
      },
      async wgsl() {
        kernel.attend(headMajor, keySegments, out);
      },
    },
    outputs: [
      {
        tensor: output,
        expected: sampled(rows * width, (at) => {
          const [query, column] = [Math.floor(at / width), at % width];
          return attend(queries.subarray(query * width), allKeys, allValues, { width, headDim, column });
        }),
      },
    ],
  };
}

/** Softmax(q kᵀ / √d) v for the first query of `q` and one channel, in f64. */
function attend(
  q: Float32Array,
  keys: Float32Array,
  values: Float32Array,
  { width, headDim: d, column }: { readonly width: number; readonly headDim: number; readonly column: number },
): number {
  const head = Math.floor(column / d) * d;
  const scores: number[] = [];
  for (let key = 0; key < keys.length / width; key++) {
    let score = 0;
    for (let c = head; c < head + d; c++) score += q[c]! * keys[key * width + c]!;
    scores.push(score / Math.sqrt(d));
  }
  const most = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.reduce((sum, weight, key) => sum + (weight / total) * values[key * width + column]!, 0);
}

function join(arrays: readonly Float32Array[]): Values {
  const joined = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}
