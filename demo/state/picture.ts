import type { GenerateRequest, ImageMetadata, RunReport } from "../../runtime/index.ts";

/** A picture with its request and timings, as the gallery keeps it. */
export interface Picture {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** PNG with its metadata in it. */
  readonly file: Blob;
  readonly metadata: ImageMetadata;
  readonly request: Omit<GenerateRequest, "references" | "loras">;
  /** What it was made from, in order. */
  readonly references: readonly { readonly name: string; readonly file: Blob }[];
  readonly report: RunReport;
  /** Milliseconds that kept reference keys and values saved; undefined where none were reused or it is not known. */
  readonly savedMs?: number;
}
