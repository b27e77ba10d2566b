/**
 * The files of klein-nano, which are part of the package. Each URL is spelled out because bundlers (Vite, webpack, Rollup,
 * Parcel) follow `new URL("…", import.meta.url)` only then.
 */
export const KLEIN_NANO: Readonly<Record<string, URL>> = {
  "kleinbild.json": new URL("../../models/klein-nano/kleinbild.json", import.meta.url),
  "model_index.json": new URL("../../models/klein-nano/model_index.json", import.meta.url),
  "scheduler/scheduler_config.json": new URL(
    "../../models/klein-nano/scheduler/scheduler_config.json",
    import.meta.url,
  ),
  "text_encoder/config.json": new URL("../../models/klein-nano/text_encoder/config.json", import.meta.url),
  "text_encoder/model.safetensors": new URL("../../models/klein-nano/text_encoder/model.safetensors", import.meta.url),
  "tokenizer/tokenizer.json": new URL("../../models/klein-nano/tokenizer/tokenizer.json", import.meta.url),
  "tokenizer/tokenizer_config.json": new URL(
    "../../models/klein-nano/tokenizer/tokenizer_config.json",
    import.meta.url,
  ),
  "transformer/config.json": new URL("../../models/klein-nano/transformer/config.json", import.meta.url),
  "transformer/diffusion_pytorch_model.safetensors": new URL(
    "../../models/klein-nano/transformer/diffusion_pytorch_model.safetensors",
    import.meta.url,
  ),
  "vae/config.json": new URL("../../models/klein-nano/vae/config.json", import.meta.url),
  "vae/diffusion_pytorch_model.safetensors": new URL(
    "../../models/klein-nano/vae/diffusion_pytorch_model.safetensors",
    import.meta.url,
  ),
};
