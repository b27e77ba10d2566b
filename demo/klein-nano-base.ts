/**
 * The files of klein-nano-base, which lies beside the page and is loaded when it is asked for. Each URL is spelled out
 * because bundlers follow `new URL("…", import.meta.url)` only then.
 */
export const KLEIN_NANO_BASE: Readonly<Record<string, URL>> = {
  "kleinbild.json": new URL("../models/klein-nano-base/kleinbild.json", import.meta.url),
  "model_index.json": new URL("../models/klein-nano-base/model_index.json", import.meta.url),
  "scheduler/scheduler_config.json": new URL(
    "../models/klein-nano-base/scheduler/scheduler_config.json",
    import.meta.url,
  ),
  "text_encoder/config.json": new URL("../models/klein-nano-base/text_encoder/config.json", import.meta.url),
  "text_encoder/model.safetensors": new URL(
    "../models/klein-nano-base/text_encoder/model.safetensors",
    import.meta.url,
  ),
  "tokenizer/tokenizer.json": new URL("../models/klein-nano-base/tokenizer/tokenizer.json", import.meta.url),
  "tokenizer/tokenizer_config.json": new URL(
    "../models/klein-nano-base/tokenizer/tokenizer_config.json",
    import.meta.url,
  ),
  "transformer/config.json": new URL("../models/klein-nano-base/transformer/config.json", import.meta.url),
  "transformer/diffusion_pytorch_model.safetensors": new URL(
    "../models/klein-nano-base/transformer/diffusion_pytorch_model.safetensors",
    import.meta.url,
  ),
  "vae/config.json": new URL("../models/klein-nano-base/vae/config.json", import.meta.url),
  "vae/diffusion_pytorch_model.safetensors": new URL(
    "../models/klein-nano-base/vae/diffusion_pytorch_model.safetensors",
    import.meta.url,
  ),
};
