import type { Stage } from "../pipeline/stages.ts";
import { FIT_PIXELS } from "../vae/preview.ts";
import type { PartBytes, PlannedScope } from "./ledger.ts";
import { PlanContext, type PlanSetup } from "./plan-context.ts";
import { type PlannedRequest, referenceTokens } from "./planned-request.ts";
import { PlannedSteps } from "./steps-stage.ts";
import { keptTextStatesBytes, planTextEncoding } from "./text-stage.ts";
import { PlannedTransformer } from "./transformer-pass.ts";
import { pictureTokens, PlannedVae, type Size } from "./vae-pass.ts";

/** Most bytes of a stage beside the weights. */
export interface StageMemory {
  readonly stage: Stage;
  readonly bytes: number;
  readonly byCategory: PartBytes;
}

/** Parameters of kernels, and the clock's marks. */
const TRANSFER_BYTES = 65_536 + 16_384;
const PREVIEW_FIT: Size = { width: FIT_PIXELS, height: FIT_PIXELS };

/**
 * What `runPipeline` allocates beside the weights, stage by stage, as it would be in a later request: text states are
 * kept, and onnxruntime has the buffers of all stages.
 *
 * @param keptReferenceBytes  of keys and values that this request does not use
 */
export function planStages(
  setup: PlanSetup,
  request: PlannedRequest,
  keptReferenceBytes: number,
): readonly StageMemory[] {
  const context = new PlanContext(setup);
  context.memory.allocate("referenceCache", keptReferenceBytes);
  context.memory.allocate("transfer", TRANSFER_BYTES);
  context.memory.allocate("textEncoder", keptTextStatesBytes(setup.config));
  new PlannedRun(context, request).run(); // fills onnxruntime's pool
  return new PlannedRun(context, request).run();
}

/** One run after another on the same memory. */
class PlannedRun {
  readonly #context: PlanContext;
  readonly #request: PlannedRequest;
  readonly #transformer: PlannedTransformer;
  readonly #stages: StageMemory[] = [];
  readonly #referenceTokens: number;

  constructor(context: PlanContext, request: PlannedRequest) {
    this.#context = context;
    this.#request = request;
    this.#transformer = new PlannedTransformer(context, request.loraRank);
    this.#referenceTokens = referenceTokens(request);
  }

  run(): readonly StageMemory[] {
    const { memory } = this.#context;
    using scope = memory.scope();
    this.#stage("prompt", () => planTextEncoding(this.#context));
    this.#stage("encode", () => this.#encodePictures(scope));
    const kept = this.#stage("references", () => this.#conditions(scope));
    this.#stage("steps", () => new PlannedSteps(this.#context, this.#request, this.#transformer).run(scope));
    this.#stage("decode", () => this.#decode());
    memory.free("referenceCache", kept);
    memory.free("transformer", this.#request.loraBytes);
    return this.#stages;
  }

  #stage<T>(stage: Stage, work: () => T): T {
    const { memory } = this.#context;
    memory.startStage();
    const result = work();
    this.#stages.push({ stage, bytes: memory.peakBytes, byCategory: memory.peakByPart });
    return result;
  }

  /** The latents of the references, and of the picture that previews are fitted to. */
  #encodePictures(scope: PlannedScope): void {
    const { memory, setup } = this.#context;
    const { references, previews } = this.#request;
    const channels = setup.config.transformer.inChannels;
    const encode = (target: PlannedScope, size: Size): number => {
      using own = memory.scope();
      new PlannedVae(this.#context, own, "encode", size.width).encode(size);
      return target.tensor("f32", [pictureTokens(size), channels]);
    };
    if (previews) {
      using fit = memory.scope();
      this.#context.readBack(encode(fit, PREVIEW_FIT));
    }
    const latents = references.map((size) => encode(scope, size));
    scope.rows("f32", this.#referenceTokens, channels, setup.rowsPerChunk);
    scope.release(...latents);
  }

  /** What all pictures share, for each set of weights. @returns bytes that go to the reference cache */
  #conditions(scope: PlannedScope): number {
    const { memory, setup } = this.#context;
    const { phases, evaluations, guidance, referenceMode, loraBytes } = this.#request;
    const { textLength, transformer } = setup.config;
    memory.allocate("transformer", loraBytes);
    let kept = 0;
    for (let i = 0; i < phases; i++) {
      this.#transformer.modulationTable(scope, evaluations + 1);
      for (let prompts = guidance ? 2 : 1; prompts > 0; prompts--)
        this.#transformer.embed(scope, textLength, transformer.textWidth);
      if (referenceMode === "exact") kept += this.#transformer.keepReferences(this.#referenceTokens);
    }
    return kept;
  }

  #decode(): void {
    using scope = this.#context.memory.scope();
    new PlannedVae(this.#context, scope, "decode", this.#request.width).decode(this.#request);
    this.#context.finiteCheck();
  }
}
