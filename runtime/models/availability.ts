export interface AvailabilityOptions {
  readonly quantization?: "none" | "q8" | "q4" | undefined;
}
