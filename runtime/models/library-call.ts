import type { AvailabilityOptions } from "./availability.ts";
import type { ModelLocation } from "./model-location.ts";
import type { PrepareOptions } from "./prepare-model.ts";

/** What the model library can be asked, as plain data: calls cross to a worker. */
export type LibraryCall =
  | { readonly method: "availability"; readonly model: ModelLocation; readonly options: AvailabilityOptions }
  | { readonly method: "download"; readonly model: ModelLocation; readonly options: PrepareOptions }
  | { readonly method: "list" }
  | { readonly method: "storage" }
  | { readonly method: "verify"; readonly id: string }
  | { readonly method: "delete"; readonly id: string };
