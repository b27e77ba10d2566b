import type { EncodeEvent, LoadEvent } from "../events.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import type { StageRunner } from "./stage-runner.ts";

/** Embeddings [tokens, layers · hidden] f32 of the prompts of a run. They stay valid while the run encodes no others. */
export interface PromptEmbeddings {
  readonly positive: ChunkedMatrix;
  /** With guidance only. */
  readonly negative: ChunkedMatrix | undefined;
  /** Which prompts were cut, for people. */
  readonly warnings: readonly string[];
}

/** Tokenizes and encodes one prompt or, with guidance, two. Cached embeddings are used again. */
export async function* encodePrompts(
  stages: StageRunner,
  model: Pick<LoadedModel, "tokenizer" | "config" | "promptEmbeddings">,
  request: Pick<PipelineRequest, "prompt" | "negativePrompt" | "guidance">,
): AsyncGenerator<LoadEvent | EncodeEvent, PromptEmbeddings> {
  const { textLength } = model.config;
  const names = request.guidance === null ? (["prompt"] as const) : (["prompt", "negativePrompt"] as const);
  const encoded: ChunkedMatrix[] = [];
  const warnings: string[] = [];
  for (const what of names) {
    const tokens = model.tokenizer.encode(request[what], textLength);
    if (tokens.truncated)
      warnings.push(
        `${what} has ${tokens.tokens} tokens with its frame; the model takes ${textLength}, the rest was cut.`,
      );
    const stage = model.promptEmbeddings.has(tokens) ? undefined : "prompt";
    const { embeddings, reused } = yield* stages.run({ stage, name: "text encoding", timing: "prompt" }, () =>
      model.promptEmbeddings.get(tokens, stages.signal),
    );
    encoded.push(embeddings);
    yield { type: "encode", what, reused };
  }
  return { positive: encoded[0]!, negative: encoded[1], warnings };
}
