import { KleinbildError } from "../../errors.ts";
import { inventory, type WeightPart } from "../inventory.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { isUnread } from "./bare-names.ts";
import { type Layout, layoutTensors } from "./layouts.ts";
import type { BareTensors } from "./naming.ts";
import { TensorView, type ViewPiece } from "./tensor-view.ts";

/** The tensors of a part as the model knows them, and what else lies with them. */
export interface PartViews {
  readonly views: ReadonlyMap<string, TensorView>;
  /** Stored names that klein does not read. */
  readonly unread: readonly string[];
  /** Stored names that no file of this part should have. */
  readonly extra: readonly string[];
}

/** Names that a message lists. */
const MOST_NAMES = 5;

/**
 * Every tensor that the config asks for, as rows of the stored ones.
 *
 * @param files  where they are, for messages
 * @throws KleinbildError `invalid-model`, naming missing tensors and those of another shape
 */
export function viewPart(
  config: ModelConfig,
  part: WeightPart,
  layout: Layout,
  tensors: BareTensors,
  files: string,
): PartViews {
  const invalid = (message: string, tensor: string): KleinbildError =>
    new KleinbildError("invalid-model", `${files}: ${message}`, { tensor });
  const pieces = new Map<string, ViewPiece[]>();
  const used = new Set<string>();
  const missing: string[] = [];
  for (const { name, shape, pieces: rows, channelsLast } of layoutTensors(config, part, layout)) {
    const tensor = tensors.get(name);
    if (!tensor) {
      missing.push(name);
      continue;
    }
    used.add(name);
    if (!isSameShape(tensor.shape, shape))
      throw invalid(`${tensor.name} is [${tensor.shape.join(", ")}]; the config asks for [${shape.join(", ")}].`, name);
    let storedRow = 0;
    for (const { canonical, firstRow, rows: count } of rows) {
      const of = pieces.get(canonical) ?? [];
      pieces.set(canonical, of);
      of.push({ tensor, storedRow, firstRow, rows: count, channelsLast });
      storedRow += count;
    }
  }
  if (missing.length > 0)
    throw invalid(`the ${part} lacks ${listed(missing)}, which the config asks for (naming ${layout}).`, missing[0]!);
  const views = inventory(config, part).map(({ name, shape }): [string, TensorView] => {
    const ordered = pieces.get(name)!.toSorted((a, b) => a.firstRow - b.firstRow);
    return [name, new TensorView(name, shape, ordered)];
  });
  const layers = Math.max(...config.textLayers);
  const rest = [...tensors].filter(([name]) => !used.has(name));
  const [unread, extra] = [true, false].map((isKnown) =>
    rest.filter(([name]) => isUnread(part, name, layers) === isKnown).map(([, tensor]) => tensor.name),
  );
  return { views: new Map(views), unread: unread!, extra: extra! };
}

/** Names for a message: the first few, and how many more there are. */
export function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Trailing ones do not count: a matrix is stored as a convolution of one pixel by some, and the other way round. */
function isSameShape(stored: readonly number[], expected: readonly number[]): boolean {
  const [a, b] = [stored, expected].map((shape) => shape.slice(0, shape.findLastIndex((size) => size !== 1) + 1));
  return a!.length === b!.length && a!.every((size, i) => size === b![i]);
}
