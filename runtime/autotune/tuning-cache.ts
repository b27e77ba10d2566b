import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import * as v from "valibot";
import { KERNELS } from "../../kernels/index.ts";
import { INCLUDES } from "../../kernels/kernel.ts";
import { version } from "../../package.json";
import type { Operator } from "../backend/operators.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ScalarType } from "../gpu/tensor.ts";
import type { CandidateResult } from "./fastest.ts";
import { type Implementation, IMPLEMENTATIONS } from "./implementation.ts";

/** A place for small texts that outlives the process; what it lost is computed again. */
export interface TuningStorage {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

/** The implementation that was chosen for an operator. */
export interface TunedOperator {
  /** The fastest correct candidate. */
  readonly implementation: Implementation;
  /** The results of all candidates. Empty when there was no choice. */
  readonly candidates: readonly CandidateResult<Implementation>[];
}

/** What a choice depends on. */
export interface TuningSubject {
  readonly operator: Operator;
  readonly scalar: ScalarType;
  readonly candidates: readonly Implementation[];
  /** Of the trial at its largest, by the widths of the model. */
  readonly shape: Readonly<Record<string, number>>;
  /** A page that was without onnxruntime's wasm may say later where it lies. */
  readonly ortWasmUrl: string | undefined;
}

const NAME = v.picklist(IMPLEMENTATIONS);
const CHOSEN = v.object({
  implementation: NAME,
  candidates: v.array(
    v.object({ name: NAME, milliseconds: v.exactOptional(v.number()), refused: v.exactOptional(v.string()) }),
  ),
});

/** Another set of kernels, or another version of onnxruntime beside them, makes for other times. */
const BUILD = bytesToHex(
  sha256(utf8ToBytes([version, ...KERNELS.map(({ source }) => source), ...INCLUDES.values()].join("\n"))),
).slice(0, 16);

/** Names a choice: the adapter, what the device has of it, the operator and this build. */
export function tuningKey({ adapter, device }: Pick<Gpu, "adapter" | "device">, choice: TuningSubject): string {
  const { vendor, architecture, device: chip, description, f16, subgroups, maxBindingBytes } = adapter;
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = device.limits;
  const limits = { maxBindingBytes, maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup };
  const { operator, scalar, candidates, shape, ortWasmUrl } = choice;
  return `kleinbild dense ${JSON.stringify([
    BUILD,
    [vendor, architecture, chip, description],
    { f16, subgroups, ...limits },
    [operator, scalar, shape],
    candidates,
    ortWasmUrl,
  ])}`;
}

/** Choices of earlier starts. An engine never fails for what it cannot remember. */
export class TuningCache {
  readonly #store: TuningStorage | undefined;

  constructor(store: TuningStorage | undefined) {
    this.#store = store;
  }

  /** Undefined for what is not there, cannot be read, or names a candidate that there is not. */
  async get(key: string, candidates: readonly Implementation[]): Promise<TunedOperator | undefined> {
    try {
      const text = await this.#store?.get(key);
      if (text === undefined) return undefined;
      const chosen = v.parse(CHOSEN, JSON.parse(text));
      return candidates.includes(chosen.implementation) ? chosen : undefined;
    } catch {
      return undefined; // a full disk, a private window, or damage: timing again mends it
    }
  }

  async set(key: string, chosen: TunedOperator): Promise<void> {
    try {
      await this.#store?.set(key, JSON.stringify(chosen));
    } catch {
      // the next start times again
    }
  }
}
