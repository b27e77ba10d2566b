import type { AvailabilityOptions } from "./availability.ts";
import type { PrepareOptions } from "./prepare-model.ts";

/** What the model library can be asked, as plain data: calls cross to a worker. */
export type LibraryCall<Location> =
  | {
      readonly method: "availability";
      readonly model: Location;
      readonly options: AvailabilityOptions & PrepareOptions;
    }
  | { readonly method: "download"; readonly model: Location; readonly options: PrepareOptions }
  | { readonly method: "list" }
  | { readonly method: "storage" }
  | { readonly method: "verify"; readonly id: string }
  | { readonly method: "delete"; readonly id: string };
