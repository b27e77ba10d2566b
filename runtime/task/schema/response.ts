import type { RunReport } from "../../events.ts";
import type { ApiError } from "./api-error.ts";

/** How a picture was made. The hosted API has no such field. */
export type RunSummary = Pick<RunReport, "model" | "referenceMode" | "passes" | "timings"> & {
  /** Whether cached keys and values of the references were used. */
  readonly referenceCacheHit: boolean;
};

/** One picture of an `imageInference` task. */
export interface ImageItem {
  /** Type of the task. */
  readonly taskType: "imageInference";
  /** UUID of the task. */
  readonly taskUUID: string;
  /** Identifies the picture; a later task can use it as a reference. */
  readonly imageUUID: string;
  /** With `outputType` URL: an object URL in pages, a file URL in Node, an address of the server behind `--serve`. */
  readonly imageURL?: string | undefined;
  /** With `outputType` base64Data: the file. */
  readonly imageBase64Data?: string | undefined;
  /** With `outputType` dataURI: the file. */
  readonly imageDataURI?: string | undefined;
  /** Seed of this picture. Beyond 2⁵³ − 1, where JSON numbers are no longer exact, a string of digits. */
  readonly seed: number | string;
  /** With `includeCost`: always 0. */
  readonly cost?: number | undefined;
  /** Only in answers to `getResponse`. */
  readonly status?: "success" | undefined;
  /** What had no effect, or was done differently. The hosted API has no such field. */
  readonly warnings?: readonly string[] | undefined;
  /** Only of pictures that were made on this machine. */
  readonly run?: RunSummary | undefined;
}

/** A result that is not there yet: the acknowledgement of an `async` task, and in answers to `getResponse`. */
export interface PendingItem {
  /** Type of the task. */
  readonly taskType: "imageInference";
  /** UUID of the task. */
  readonly taskUUID: string;
  /** Only in answers to `getResponse`. */
  readonly status?: "processing" | undefined;
}

/** Answer to an `imageUpload` task. */
export interface ImageUploadItem {
  /** Type of the task. */
  readonly taskType: "imageUpload";
  /** UUID of the task. */
  readonly taskUUID: string;
  /** Identifies the picture in later tasks. */
  readonly imageUUID: string;
  /** Its address, as in `ImageItem`; absent if pictures have none. */
  readonly imageURL?: string | undefined;
}

/** One result of a task. */
export type ResponseItem = ImageItem | PendingItem | ImageUploadItem;

/** The answer to a request of one or several tasks. An error of one task does not stop the others. */
export interface TaskResponse {
  /** Results of all tasks, in the order of the tasks. */
  readonly data: readonly ResponseItem[];
  /** Errors of all tasks, in the order of the tasks. */
  readonly errors: readonly ApiError[];
}
