import type { ModelInput } from "../../runtime/index.ts";

/** What the lines of a text name, or what is wrong with them, as a sentence. */
export type Places =
  | { readonly input: Extract<ModelInput, string> | Readonly<Record<string, string>>; readonly name: string }
  | { readonly problem: string };

const WEIGHT_FILE = /\.(?:safetensors|gguf)$/i;
const FILE = /\.(?:safetensors|gguf|json)$/i;
/** The path of a file in a model may stand before its address. */
const WITH_PATH = /^([\w./ -]+?)\s*=\s*(\S+)$/;
/** diffusers' folders tell what a file is where its name does not. */
const FOLDERS: ReadonlySet<string> = new Set(["text_encoder", "tokenizer", "transformer", "vae", "scheduler"]);

/**
 * Reads addresses, one a line: that of a folder in diffusers layout alone, else those of files, with `path = ` before it
 * where a file's place in the model is to be said.
 *
 * @param base  what relative addresses are relative to
 */
export function readPlaces(text: string, base: string): Places {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0) return { problem: "Give the address of a model, or choose its files." };
  const files = new Map<string, string>();
  for (const line of lines) {
    const [, path, place = line] = WITH_PATH.exec(line) ?? [];
    const address = readAddress(place, base);
    if (typeof address !== "string") return address;
    const { pathname } = new URL(address);
    if (path === undefined && !FILE.test(pathname)) {
      if (lines.length === 1) return { input: address, name: lastName(pathname) };
      return { problem: `“${place}” is a folder: it stands alone. Several addresses are those of files, one a line.` };
    }
    const inModel = path ?? pathOf(pathname);
    if (files.has(inModel))
      return {
        problem: `Two addresses are those of ${inModel}. Write “path = address” to say what each file is, as in “vae/model.safetensors = https://…”.`,
      };
    files.set(inModel, address);
  }
  const weights = [...files.values()].find((address) => WEIGHT_FILE.test(new URL(address).pathname));
  if (weights === undefined) return { problem: "None of these files holds weights: safetensors or GGUF was expected." };
  return { input: Object.fromEntries(files), name: lastName(new URL(weights).pathname).replace(WEIGHT_FILE, "") };
}

/** An absolute address; pages of a Hugging Face repository are taken for the files that they show. */
function readAddress(place: string, base: string): string | { readonly problem: string } {
  const isAddress = /^(?:https?:\/\/|\.{0,2}\/)/i.test(place);
  if (!isAddress && /^[\w.-]+\.[a-z]{2,}\//i.test(place)) return readAddress(`https://${place}`, base);
  if (!isAddress || !URL.canParse(place, base))
    return {
      problem: /^(?:file:|[a-z]:\\)/i.test(place)
        ? "A page may not read this machine's disk by itself: use “Choose files…”."
        : `“${place}” is no address: one begins with https://, or with / or ./ for a folder of this site.`,
    };
  const url = new URL(place, base);
  if (url.hostname === "huggingface.co") {
    url.pathname = url.pathname.replace(/^(\/[^/]+\/[^/]+)\/(?:blob|tree)\//, "$1/resolve/");
    if (/^\/[^/]+\/[^/]+\/?$/.test(url.pathname)) url.pathname = `${url.pathname.replace(/\/$/, "")}/resolve/main/`;
  }
  return url.href;
}

function pathOf(pathname: string): string {
  const [name = "", folder = ""] = pathname.split("/").map(decode).toReversed();
  return FOLDERS.has(folder) ? `${folder}/${name}` : name;
}

/** What to call a model by its address: the repository's or folder's name. */
function lastName(pathname: string): string {
  const names = pathname
    .replace(/\/resolve\/[^/]+\/?$/, "")
    .split("/")
    .filter((name) => name !== "");
  return decode(names.at(-1) ?? "model");
}

/** A path that is not escaped as it should be is taken as it is. */
function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
