import { KleinbildError } from "../../runtime/index.ts";
import { formatTime } from "../state/format.ts";
import { messageOf } from "../state/notices.ts";
import type { Picture } from "../state/picture.ts";
import type { Job } from "../state/run-queue.ts";

/** What became of a job that is over, and why. */
export function outcome({ status, pictures, error }: Job): string {
  const made = pictures.length;
  switch (status) {
    case "waiting":
    case "running":
      return "";
    case "done":
      return made === 1 ? "The picture is ready." : `${made} pictures are ready.`;
    case "cancelled":
      return made === 0 ? "Cancelled." : `Cancelled after ${count(made)}.`;
    case "failed":
      return `${made === 0 ? "No picture was made." : `It stopped after ${count(made)}.`} ${messageOf(error)}`;
    default:
      return status satisfies never;
  }
}

/** Whether a field of the request is wrong, so that asking again for the same leads nowhere. */
export function isFieldError(error: unknown): boolean {
  return error instanceof KleinbildError && error.code === "invalid-request" && "parameter" in error.details;
}

/** Undefined unless keys and values of references were found kept. */
export function reuse({ report, savedMs = 0 }: Picture): string | undefined {
  if (report.referenceMode === undefined || !report.referenceCache.hit) return undefined;
  return `Reference keys and values reused${savedMs > 0 ? `, ${formatTime(savedMs)} saved` : ""}`;
}

/** A picture without a prompt needs a name too. */
export function nameOf(prompt: string): string {
  return prompt.trim() || "Picture without a prompt";
}

function count(pictures: number): string {
  return pictures === 1 ? "1 picture" : `${pictures} pictures`;
}
