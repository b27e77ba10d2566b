import type { Matrix } from "../backend/matrix.ts";
import type { ModulationWeights, StreamWeights, TransformerWeights } from "./weights.ts";

type Change = (matrix: Matrix) => Matrix;

/** The weights with every matrix replaced by `change` of it; vectors stay. */
export function mapMatrices(weights: TransformerWeights, change: Change): TransformerWeights {
  const qkv = ([q, k, v]: readonly [Matrix, Matrix, Matrix]): readonly [Matrix, Matrix, Matrix] => [
    change(q),
    change(k),
    change(v),
  ];
  const stream = (from: StreamWeights): StreamWeights => ({
    ...from,
    qkv: qkv(from.qkv),
    attentionOut: change(from.attentionOut),
    gate: change(from.gate),
    up: change(from.up),
    down: change(from.down),
  });
  return {
    imageIn: change(weights.imageIn),
    textIn: change(weights.textIn),
    modulation: mapModulation(weights.modulation, change),
    double: weights.double.map(({ image, text }) => ({ image: stream(image), text: stream(text) })),
    single: weights.single.map((from) => ({
      ...from,
      qkv: qkv(from.qkv),
      gate: change(from.gate),
      up: change(from.up),
      attentionOut: change(from.attentionOut),
      mlpOut: change(from.mlpOut),
    })),
    finalOut: change(weights.finalOut),
  };
}

function mapModulation(from: ModulationWeights, change: Change): ModulationWeights {
  return {
    timeIn: change(from.timeIn),
    timeOut: change(from.timeOut),
    image: change(from.image),
    text: change(from.text),
    single: change(from.single),
    final: change(from.final),
  };
}

/** All matrices, in the order in which `mapMatrices` takes them. */
export function matricesOf(weights: TransformerWeights): readonly Matrix[] {
  const matrices: Matrix[] = [];
  mapMatrices(weights, (matrix) => {
    matrices.push(matrix);
    return matrix;
  });
  return matrices;
}
