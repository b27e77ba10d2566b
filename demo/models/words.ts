import {
  type Availability,
  KleinbildError,
  type LoadEvent,
  type ModelConfig,
  type ModelPart,
} from "../../runtime/index.ts";
import { formatBytes } from "../state/format.ts";
import { messageOf } from "../state/notices.ts";

export const PART_NAMES: Readonly<Record<ModelPart, string>> = {
  tokenizer: "tokenizer",
  textEncoder: "text encoder",
  transformer: "transformer",
  vae: "autoencoder",
};

const STAGES = { download: "Downloading", repack: "Repacking", gpu: "Loading" } as const;

export function stageText({ stage, part }: LoadEvent): string {
  return `${STAGES[stage]} the ${PART_NAMES[part]}`;
}

/** Sentences of the engine have plain numbers of bytes, for programs too. */
export function withReadableBytes(sentence: string): string {
  return sentence.replaceAll(/\b(\d{6,})(?: bytes)?\b/g, (_, bytes: string) => formatBytes(Number(bytes)));
}

/** How it was trained, which decides what can be asked of it. */
export function trainingText({ distilled, defaultSteps, referenceAttention }: ModelConfig): string {
  const steps = distilled ? `distilled, ${defaultSteps} steps` : `not distilled, ${defaultSteps} steps with guidance`;
  return referenceAttention === "isolated" ? `${steps}, keeps keys and values of references` : steps;
}

/** Whether it can run, and what it takes to have it. @param picked  its files are on this machine already */
export function verdict({ status, downloadBytes, missing }: Availability, picked: boolean): string {
  switch (status) {
    case "ready":
      return picked ? "It can run here." : "It can run here, and all of it is on this device.";
    case "downloadable":
      return `It can run here. ${formatBytes(downloadBytes)} are to be downloaded.`;
    case "too-small":
      return missing.length > 1 ? "This speaks against it:" : "There is one thing against it:";
    default:
      return status satisfies never;
  }
}

/** Whether there is a picture that it could make here, perhaps a smaller one. */
export function canMakePictures({ plan }: Availability): boolean {
  return plan !== undefined && (plan.fits || plan.nearest !== undefined);
}

/** What went wrong, and what can be done about it. */
export function failureText(error: unknown): string {
  const advice = error instanceof KleinbildError ? adviceFor(error.code) : undefined;
  const message = withReadableBytes(messageOf(error));
  return advice === undefined ? message : `${message} ${advice}`;
}

function adviceFor(code: KleinbildError["code"]): string | undefined {
  switch (code) {
    case "network":
      return "Check the address and the connection. A server must also allow pages of other sites to read its files (CORS); where it does not, download them and choose them here.";
    case "missing-file":
    case "invalid-model":
      return "The transformer, text encoder, autoencoder and tokenizer of one model are expected.";
    case "damaged":
      return "Or verify the stored model: that takes the damaged pieces off it, and “Resume” brings them again.";
    case "storage-full":
      return "Delete a stored model, or open this one without keeping it.";
    case "out-of-memory":
    case "over-budget":
      return "Choose 4 bits, set a memory budget, or ask for smaller pictures.";
    case "device-lost":
    case "worker-died":
    case "disposed":
      return "Open it again.";
    case "no-webgpu":
    case "unsupported":
    case "invalid-request":
    case "invalid-image":
    case "invalid-shape":
    case "not-finite":
    case "gpu-validation":
    case "internal":
      return undefined;
    default:
      return code satisfies never;
  }
}
