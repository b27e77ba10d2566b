import { openModels } from "../../../runtime/index.ts";

/** Functions that the command line calls in the page. */
export interface FullSizePage {
  download(url: string, quantization: "q4" | "q8"): Promise<{ readonly id: string; readonly bytes: number }>;
}

const page: FullSizePage = {
  async download(url, quantization) {
    const { id, bytes } = (await openModels().download(url, { quantization, keep: "always" }))!;
    return { id, bytes };
  },
};

Object.assign(globalThis, { kleinbildPage: page });
