import type { RunnableCases } from "../../bench/run-cases.ts";
import { sizesCase } from "./sizes.ts";

export { runInChromium } from "./in-chromium.ts";

/** Cases that bundle the sources. */
export const repositoryCases: RunnableCases = { sizes: sizesCase };
