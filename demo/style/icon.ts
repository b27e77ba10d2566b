import { guard } from "lit/directives/guard.js";
import type { DirectiveResult } from "lit/directive.js";
import { createElement, type IconNode } from "lucide";

/** One of Lucide's icons, for decoration beside a name: hidden from assistive technology. @param size  pixels */
export function icon(node: IconNode, size = 18): DirectiveResult {
  return guard([node, size], () => createElement(node, { width: size, height: size, "aria-hidden": "true" }));
}
