export interface PrepareOptions {
  readonly quantization?: "none" | "q8" | "q4" | undefined;
}
