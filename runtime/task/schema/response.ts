import type { RunReport } from "../../events.ts";
import type { ApiError } from "./api-error.ts";

/** How a picture came about; the hosted API has no such field. */
export type RunSummary = Pick<RunReport, "model" | "referenceMode" | "passes" | "timings"> & {
  /** Whether kept keys and values of the references were used. */
  readonly referenceCacheHit: boolean;
};

/** One picture of an `imageInference` task. */
export interface ImageItem {
  readonly taskType: "imageInference";
  readonly taskUUID: string;
  /** Names the picture as a later task's reference. */
  readonly imageUUID: string;
  /** `outputType` URL: an object URL in pages, a file URL in Node, an address of the server behind `--serve`. */
  readonly imageURL?: string | undefined;
  /** `outputType` base64Data. */
  readonly imageBase64Data?: string | undefined;
  /** `outputType` dataURI. */
  readonly imageDataURI?: string | undefined;
  /** Of this picture. A string of digits beyond 2⁵³ − 1, where a JSON number is no longer exact. */
  readonly seed: number | string;
  /** With `includeCost`: always 0. */
  readonly cost?: number | undefined;
  /** In answers to `getResponse`. */
  readonly status?: "success" | undefined;
  /** What was ignored or went otherwise than asked; the hosted API has no such field. */
  readonly warnings?: readonly string[] | undefined;
  /** Of a picture that was made here. */
  readonly run?: RunSummary | undefined;
}

/** A task whose results are not there yet: the acknowledgement of an `async` task, and what `getResponse` says of it. */
export interface PendingItem {
  readonly taskType: "imageInference";
  readonly taskUUID: string;
  readonly status?: "processing" | undefined;
}

/** A stored picture. */
export interface ImageUploadItem {
  readonly taskType: "imageUpload";
  readonly taskUUID: string;
  readonly imageUUID: string;
  readonly imageURL?: string | undefined;
}

export type ResponseItem = ImageItem | PendingItem | ImageUploadItem;

/** What a request of one or several tasks is answered with; an error stops no other task. */
export interface TaskResponse {
  readonly data: readonly ResponseItem[];
  readonly errors: readonly ApiError[];
}
