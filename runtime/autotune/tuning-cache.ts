import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import * as v from "valibot";
import { KERNELS } from "../../kernels/index.ts";
import { INCLUDES } from "../../kernels/kernel.ts";
import { version } from "../../package.json";
import { type Implementation, IMPLEMENTATIONS, type Operator } from "../backend/operators.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { CandidateResult } from "./fastest.ts";

/** Persistent storage for small texts. Lost entries are computed again. */
export interface TuningStorage {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** The result of tuning an operator. */
export interface TunedOperator {
  /** The fastest correct candidate. */
  readonly implementation: Implementation;
  /** The results of all candidates. Empty when there was only one. */
  readonly candidates: readonly CandidateResult<Implementation>[];
}

/** The conditions under which a tuning result holds. */
export interface TuningSubject {
  readonly operator: Operator;
  readonly scalar: ScalarType;
  readonly candidates: readonly Implementation[];
  /** Of the largest operands that are timed, by the widths of the model. */
  readonly shape: Readonly<Record<string, number>>;
  /** A page may provide the address of onnxruntime's wasm only later: then onnxruntime is timed again. */
  readonly ortWasmUrl: string | undefined;
}

const NAME = v.picklist(IMPLEMENTATIONS);
const TUNED = v.object({
  implementation: NAME,
  candidates: v.array(
    v.object({ name: NAME, milliseconds: v.exactOptional(v.number()), refused: v.exactOptional(v.string()) }),
  ),
});

/** Other kernels, or another version of onnxruntime, have other times. */
const BUILD = bytesToHex(
  sha256(utf8ToBytes([version, ...KERNELS.map(({ source }) => source), ...INCLUDES.values()].join("\n"))),
).slice(0, 16);

/** The key of a tuning result: adapter, limits of the device, operator and build. */
export function tuningKey({ adapter, device }: Pick<Gpu, "adapter" | "device">, subject: TuningSubject): string {
  const { vendor, architecture, device: chip, description, f16, subgroups, maxBindingBytes } = adapter;
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = device.limits;
  const limits = { maxBindingBytes, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup };
  const { operator, scalar, candidates, shape, ortWasmUrl } = subject;
  return `kleinbild dense ${JSON.stringify([
    BUILD,
    [vendor, architecture, chip, description],
    { f16, subgroups, ...limits },
    [operator, scalar, shape],
    candidates,
    ortWasmUrl,
  ])}`;
}

/** Tuning results of earlier starts. A storage that fails is never an error. */
export class TuningCache {
  readonly #storage: TuningStorage | undefined;

  constructor(storage: TuningStorage | undefined) {
    this.#storage = storage;
  }

  /** Undefined for an entry that is missing, cannot be read, or names none of the candidates. */
  async get(key: string, candidates: readonly Implementation[]): Promise<TunedOperator | undefined> {
    try {
      const text = await this.#storage?.get(key);
      if (text === undefined) return undefined;
      const tuned = v.parse(TUNED, JSON.parse(text));
      return candidates.includes(tuned.implementation) ? tuned : undefined;
    } catch {
      return undefined; // a private window or a damaged entry: the operator is timed again
    }
  }

  async set(key: string, tuned: TunedOperator): Promise<void> {
    try {
      await this.#storage?.set(key, JSON.stringify(tuned));
    } catch {
      // a full disk: the next start times again
    }
  }
}
