import type { Platform } from "../runtime/engine/engine.ts";
import type { ModelSource } from "../runtime/weights/sources/model-source.ts";
import type { ReportVersions } from "./report/report.ts";

/** The models in the repository. */
export type BenchModel = "klein-nano" | "klein-nano-base";

/** What differs between the worker of a page and Node. */
export interface BenchPlatform extends Platform {
  /** @throws KleinbildError `missing-file` when the model is not available */
  openModel(name: BenchModel): ModelSource;
  readonly versions: Omit<ReportVersions, "kleinbild" | "onnxruntimeWeb">;
  /** Commit of the sources, if known. */
  readonly commit?: string | undefined;
}
