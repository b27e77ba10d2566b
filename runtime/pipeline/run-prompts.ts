import type { RunEvent } from "../events.ts";
import type { ChunkedMatrix } from "../gpu/tensor.ts";
import type { LoadedModel } from "../loaded-model/loaded-model.ts";
import type { PromptStates } from "./weight-variants.ts";
import type { PipelineRequest } from "./pipeline-request.ts";
import type { EncodedPrompt } from "../text/tokenizer.ts";

interface Prompt {
  readonly what: "prompt" | "negativePrompt";
  readonly tokens: EncodedPrompt;
}

/** The prompts of a run: one or, with guidance, two. */
export class RunPrompts {
  readonly #parts: LoadedModel;
  readonly #prompts: readonly Prompt[];
  readonly warnings: readonly string[];

  constructor(parts: LoadedModel, request: PipelineRequest) {
    const { tokenizer, config } = parts;
    const names = request.guidance === null ? (["prompt"] as const) : (["prompt", "negativePrompt"] as const);
    this.#parts = parts;
    this.#prompts = names.map((what) => ({ what, tokens: tokenizer.encode(request[what], config.textLength) }));
    this.warnings = this.#prompts
      .filter(({ tokens }) => tokens.truncated)
      .map(
        ({ what, tokens }) =>
          `${what} has ${tokens.tokens} tokens with its frame; the model takes ${config.textLength}, the rest was cut.`,
      );
  }

  /** Whether the text encoder is needed: not where all states are kept. */
  get needEncoder(): boolean {
    return this.#prompts.some(({ tokens }) => !this.#parts.promptEmbeddings.has(tokens));
  }

  /** The text states, from those kept or computed. They stay valid while the run asks for no others. */
  async *encode(signal?: AbortSignal): AsyncGenerator<RunEvent, PromptStates> {
    const { gpu, promptEmbeddings } = this.#parts;
    const states: ChunkedMatrix[] = [];
    for (const { what, tokens } of this.#prompts) {
      const encoded = await gpu.checked("text encoding", () =>
        gpu.clock.time("prompt", () => promptEmbeddings.get(tokens, signal)),
      );
      states.push(encoded.states);
      yield { type: "encode", what, reused: encoded.reused };
    }
    return { positive: states[0]!, negative: states[1] };
  }
}
