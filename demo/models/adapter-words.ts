import type { AdapterSummary, Support } from "../../runtime/index.ts";
import { formatBytes } from "../state/format.ts";

/** As their makers write them; browsers give them in lower case. */
const VENDORS: Readonly<Record<string, string>> = {
  amd: "AMD",
  apple: "Apple",
  arm: "Arm",
  google: "Google",
  intel: "Intel",
  nvidia: "NVIDIA",
  qualcomm: "Qualcomm",
};
const ROOMY_BINDING_BYTES = 2 ** 30;

export function adapterName({ vendor, architecture, device, description }: AdapterSummary): string {
  if (description) return description;
  if (/swiftshader/i.test(architecture)) return "SwiftShader";
  const names = [VENDORS[vendor.toLowerCase()] ?? vendor, architecture, device].filter((name) => name !== "");
  return names.length > 0 ? names.join(" ") : "a GPU that the browser does not name";
}

/** Where it runs, in a sentence. @param dtype  of an engine that has other than the adapter would give */
export function whereSentence(support: Support | undefined, dtype?: "f16" | "f32"): string {
  if (!support) return "Looking at the GPU.";
  if (!support.supported) return `Nothing runs here. ${support.reason}`;
  const { adapter } = support;
  if (adapter.software) return `Runs on the processor (${adapterName(adapter)}): works, but slowly.`;
  return `Runs on ${adapterName(adapter)}, in ${dtype ?? (adapter.f16 ? "f16" : "f32")}.`;
}

/** What the adapter means for the choice of a model. */
export function adapterSentences({ software, f16, subgroups, maxBindingBytes }: AdapterSummary): readonly string[] {
  const sentences: string[] = [];
  if (software)
    sentences.push(
      "There is no GPU that the browser may use, so the processor computes: klein-nano takes seconds, a full-size model minutes for each step of even a small picture.",
    );
  if (!f16)
    sentences.push(
      "It has no 16-bit arithmetic (shader-f16), so everything runs in f32: weights that are not quantized take twice the memory.",
    );
  if (!subgroups) sentences.push("It has no subgroups, so sums along rows are slower.");
  if (maxBindingBytes < ROOMY_BINDING_BYTES)
    sentences.push(
      `It binds at most ${formatBytes(maxBindingBytes)} at once: larger matrices are cut, which costs little and changes no picture.`,
    );
  sentences.push(
    software
      ? "What a model takes on the GPU comes out of this machine's memory here."
      : "Browsers do not tell how much memory the GPU has: compare the figures here with what you know of it. Where it is close, choose 4 bits or set a memory budget.",
  );
  return sentences;
}
