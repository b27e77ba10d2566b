import { KleinbildError } from "../../errors.ts";
import { inventory, type WeightPart } from "../inventory.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { isUnread } from "./bare-names.ts";
import { layoutTensors } from "./layouts.ts";
import type { StoredPart } from "./naming.ts";
import { TensorView, type ViewPiece } from "./tensor-view.ts";

/** The tensors of a part under their canonical names, and the names of other tensors in its files. */
export interface PartViews {
  readonly views: ReadonlyMap<string, TensorView>;
  /** Stored names of tensors that klein does not need. */
  readonly unread: readonly string[];
  /** Stored names of tensors that do not belong to this part. */
  readonly extra: readonly string[];
}

/** Names that a message lists before it counts the rest. */
const MOST_NAMES = 5;

/**
 * Maps every tensor that the config requires to rows of stored tensors.
 *
 * @throws KleinbildError `invalid-model`, which names missing tensors or one of another shape
 */
export function viewPart(config: ModelConfig, part: WeightPart, { layout, tensors, where }: StoredPart): PartViews {
  const invalid = (message: string, tensor: string): KleinbildError =>
    new KleinbildError("invalid-model", `${where}: ${message}`, { tensor });
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
      throw invalid(`${tensor.name} is [${tensor.shape.join(", ")}]; the config requires [${shape.join(", ")}].`, name);
    let storedRow = 0;
    for (const { canonical, firstRow, rows: count } of rows) {
      const of = pieces.get(canonical) ?? [];
      pieces.set(canonical, of);
      of.push({ tensor, storedRow, firstRow, rows: count, channelsLast });
      storedRow += count;
    }
  }
  if (missing.length > 0)
    throw invalid(`the ${part} lacks ${listed(missing)}, which the config requires (layout ${layout}).`, missing[0]!);
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

/** The first names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Ignores trailing dimensions of 1, because some files store a matrix as a 1×1 convolution or the reverse. */
function isSameShape(stored: readonly number[], expected: readonly number[]): boolean {
  const [a, b] = [stored, expected].map((shape) => shape.slice(0, shape.findLastIndex((size) => size !== 1) + 1));
  return a!.length === b!.length && a!.every((size, i) => size === b![i]);
}
