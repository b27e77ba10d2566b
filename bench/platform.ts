import type { Platform } from "../runtime/engine/engine.ts";
import type { ModelSource } from "../runtime/weights/sources/model-source.ts";
import type { ReportVersions } from "./report/report.ts";

/** The models that the repository carries. */
export type BenchModel = "klein-nano" | "klein-nano-base";

/** What differs between a page's worker and Node. */
export interface BenchPlatform extends Platform {
  /** @throws KleinbildError `missing-file` for a model that is not there */
  openModel(name: BenchModel): ModelSource;
  readonly versions: Omit<ReportVersions, "kleinbild" | "onnxruntimeWeb">;
  /** Of the sources, where it is known. */
  readonly commit?: string | undefined;
}
