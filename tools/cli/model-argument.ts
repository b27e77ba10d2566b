import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { InvalidArgumentError, Option } from "commander";
import { existingFile, keyAndValue } from "../option-values.ts";

/** Locations of a model's files by their paths in the model. */
export type ModelFiles = Readonly<Record<string, string>>;

const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));
/** The models beside this program. The published package has klein-nano only. */
const BUNDLED_MODELS: readonly string[] = ["klein-nano", "klein-nano-base"].filter((name) => isFolder(bundled(name)));

export const MODEL_HELP = `${BUNDLED_MODELS.join(", ")}, a folder in diffusers layout, a file with all parts, the http address of either, or stored:id`;

/** A folder, a file or an address, from what `--model` says. */
export function modelLocation(model: string): string {
  if (/^(?:https?|stored):/.test(model)) return model;
  if (BUNDLED_MODELS.includes(model)) return bundled(model);
  if (statSync(model, { throwIfNoEntry: false })) return model;
  const names = BUNDLED_MODELS.join(" and ");
  throw new InvalidArgumentError(`There is no folder or file ${model}; ${names} come with Kleinbild.`);
}

/** @param check  turns a location that is not an http address into a path, or throws */
export function modelFileOption(check: (location: string) => string = existingFile): Option {
  const parse = (text: string, earlier: ModelFiles = {}): ModelFiles => {
    const [path, location] = keyAndValue(text, "path", "location");
    return { ...earlier, [path]: /^https?:/.test(location) ? location : check(location) };
  };
  const description = "location of one file of the model, by its path in the model; repeatable";
  return new Option("--model-file <path=location>", description).argParser(parse);
}

/** The folder of a bundled model, whether it exists or not. */
export function bundled(name: string): string {
  return `${MODELS}${name}`;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
