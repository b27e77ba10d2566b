import type { EngineInfo } from "../../runtime/index.ts";
import type { Fact } from "../facts.ts";

type Dense = EngineInfo["dense"];
type Report = NonNullable<Dense[keyof Dense]>;

const OPERATORS = {
  plain: "Products",
  q8: "Products in 8 bits",
  q4: "Products in 4 bits",
  convolution: "Convolutions",
} as const satisfies Record<keyof Dense, string>;

/** What computes each kind of dense operator, and how it was chosen. */
export function denseFacts(dense: Dense): readonly Fact[] {
  return (Object.entries(dense) as [keyof Dense, Report][]).map(([operator, report]) => [
    OPERATORS[operator],
    `${implementationText(report.implementation)}${choiceText(report)}`,
  ]);
}

function implementationText(implementation: Report["implementation"]): string {
  return implementation === "ort" ? "onnxruntime" : `own kernels, tile “${implementation}”`;
}

function choiceText({ candidates, remembered }: Report): string {
  if (candidates.length === 0) return "";
  const timed = candidates.filter(({ milliseconds }) => milliseconds !== undefined).length;
  return `; the fastest of ${timed}${remembered ? ", remembered from an earlier visit" : ", timed at this start"}`;
}
