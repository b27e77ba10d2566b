import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { KleinbildError } from "../../errors.ts";
import { isReadable, parseSafetensors, SAFETENSORS_BYTES, type TensorEntry } from "../formats/safetensors-header.ts";
import { type AdapterMetadata, readAdapterMetadata } from "./adapter-metadata.ts";
import { type LoraTensor, parseLoraKey } from "./lora-key.ts";
import { type LoraTarget, resolveModule } from "./modules.ts";
import { readScalar, type LoraValues } from "./lora-values.ts";

/** The change of one linear layer: ΔW = scale · up · down. */
export interface LoraModule {
  /** The module's name in the file. */
  readonly name: string;
  readonly target: LoraTarget;
  readonly rank: number;
  /** alpha / rank, or 1 if there is no alpha. */
  readonly scale: number;
  /** [rank, in] */
  readonly down: LoraValues;
  /** [out, rank] */
  readonly up: LoraValues;
}

/** A LoRA, mapped to the layers of the transformer. It refers to the bytes that it was read from. */
export interface LoraFile {
  readonly name: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  readonly modules: readonly LoraModule[];
  /** Names of modules and tensors that belong to no layer of a klein transformer. */
  readonly unmatched: readonly string[];
  /** Names of tensors for the text encoder, which is not adapted. */
  readonly ignored: readonly string[];
}

/** Ample: some trainers list the tags of every picture in the metadata. */
const MAX_HEADER_BYTES = 32 << 20;
/** The longest names of the known styles have about 90 characters. */
const MAX_NAME_LENGTH = 512;
const MAX_DOTS = 4;

/** The tensors of one module. */
type ModuleTensors = Partial<Record<LoraTensor, LoraValues>>;

/**
 * Reads a LoRA of any key style: diffusers, BFL, ai-toolkit, ComfyUI, kohya or PEFT, with or without alpha.
 *
 * @param name  names the file in errors and warnings
 * @throws KleinbildError `invalid-model` when the file is damaged or holds no LoRA, `unsupported` for LoKr, LoHa, DoRA
 *   and other kinds of adapters
 */
export function readLora(bytes: Uint8Array, name: string): LoraFile {
  const { tensors, metadata } = parseSafetensors(bytes, name, MAX_HEADER_BYTES);
  const found = new Map<string, ModuleTensors>();
  const unmatched = new Set<string>();
  const ignored: string[] = [];
  for (const [key, entry] of tensors) {
    if (key.length > MAX_NAME_LENGTH)
      throw invalid(name, key.slice(0, MAX_NAME_LENGTH), `the name of a tensor has ${key.length} characters`);
    const parsed = parseLoraKey(key);
    switch (parsed.kind) {
      case "text-encoder":
        ignored.push(key);
        break;
      case "unsupported":
        throw new KleinbildError(
          "unsupported",
          `${name}: ${key} belongs to ${parsed.method}; only LoRAs are supported.`,
          {
            tensor: key,
          },
        );
      case "tensor": {
        const own = found.get(parsed.module) ?? {};
        if (own[parsed.tensor]) throw invalid(name, key, `${parsed.module} has two ${parsed.tensor} tensors`);
        own[parsed.tensor] = { label: `${name}: ${key}`, ...entry, bytes: valueBytes(bytes, entry) };
        found.set(parsed.module, own);
        break;
      }
      case "other":
        expectForeign(name, key);
        unmatched.add(key);
        break;
      default:
        parsed satisfies never;
    }
  }
  const adapter = readAdapterMetadata(metadata, name);
  const modules = new Map<string, LoraModule>();
  let pairs = 0;
  for (const [module, own] of found) {
    if (own.down || own.up) pairs++;
    const target = resolveModule(module);
    if (!target || (!own.down && !own.up)) {
      unmatched.add(module);
      continue;
    }
    const layer = JSON.stringify(target);
    const earlier = modules.get(layer);
    if (earlier) throw invalid(name, module, `${earlier.name} and ${module} are the same layer`);
    modules.set(layer, readModule(name, { module, target }, own, adapter));
  }
  if (pairs === 0 && ignored.length === 0)
    throw new KleinbildError(
      "invalid-model",
      `${name} holds no LoRA: none of its ${tensors.size} tensors has a name like lora_A.weight or lora_down.weight.`,
      { path: name },
    );
  return {
    name,
    sha256: bytesToHex(sha256(bytes)),
    modules: [...modules.values()],
    unmatched: [...unmatched],
    ignored,
  };
}

function readModule(
  name: string,
  { module, target }: { readonly module: string; readonly target: LoraTarget },
  { down, up, alpha }: ModuleTensors,
  adapter: AdapterMetadata,
): LoraModule {
  if (!down || !up)
    throw invalid(name, module, `${module} has only a ${down ? "down" : "up"} matrix; a LoRA needs both`);
  for (const { label, type, shape } of [down, up]) {
    if (shape.length === 4)
      throw new KleinbildError("unsupported", `${label} belongs to a convolution; klein has only linear layers.`, {
        tensor: label,
      });
    if (shape.length !== 2 || shape.includes(0))
      throw invalid(name, module, `${label} must be a matrix; got [${shape.join(", ")}]`);
    if (!isReadable(type))
      throw new KleinbildError(
        "unsupported",
        `${label} has the type ${type}; supported types are ${Object.keys(SAFETENSORS_BYTES).join(", ")}.`,
        { tensor: label },
      );
  }
  const rank = down.shape[0]!;
  if (up.shape[1] !== rank)
    throw invalid(name, module, `${module} has a down matrix of rank ${rank} and an up matrix of rank ${up.shape[1]}`);
  const strength = alpha ? readScalar(alpha) : adapter.alpha(module);
  const divisor = !alpha && adapter.rankStabilised ? Math.sqrt(rank) : rank;
  return { name: module, target, rank, scale: strength === undefined ? 1 : strength / divisor, down, up };
}

/** @throws KleinbildError `unsupported` when a tensor that no LoRA has belongs to a layer of klein, for example its weight */
function expectForeign(name: string, key: string): void {
  let module = key;
  for (let i = 0; i < MAX_DOTS; i++) {
    const dot = module.lastIndexOf(".");
    if (dot < 0) return;
    module = module.slice(0, dot);
    if (resolveModule(module))
      throw new KleinbildError(
        "unsupported",
        `${name}: ${key} is not a tensor of a LoRA for ${module}; lora_A and lora_B, lora_down and lora_up, or alpha were expected.`,
        { tensor: key },
      );
  }
}

function valueBytes(bytes: Uint8Array, { offset, bytes: length }: TensorEntry): Uint8Array {
  return bytes.subarray(offset, offset + length);
}

function invalid(name: string, tensor: string, message: string): KleinbildError {
  return new KleinbildError("invalid-model", `${name} is not a valid LoRA: ${message}.`, { path: name, tensor });
}
