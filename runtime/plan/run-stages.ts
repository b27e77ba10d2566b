import type { ReferenceMode } from "../transformer/denoiser.ts";
import type { PartBytes, PlannedScope } from "./ledger.ts";
import { PlanContext, type PlanSetup } from "./plan-context.ts";
import { FIT_PIXELS } from "../vae/preview.ts";
import { keptTextStatesBytes, planTextEncoding } from "./text-stage.ts";
import { type PlannedStream, PlannedTransformer } from "./transformer-pass.ts";
import { pictureTokens, PlannedVae, type Size } from "./vae-pass.ts";

/** What of a request decides on memory. */
export interface PlannedRequest extends Size {
  readonly references: readonly Size[];
  readonly referenceMode: ReferenceMode;
  /** Whether each evaluation takes two passes. */
  readonly guidance: boolean;
  readonly previews: boolean;
  readonly pictures: number;
  /** Evaluations of the velocity. */
  readonly evaluations: number;
  /** Matrices as large as the latents that the solver keeps. */
  readonly solverRegisters: number;
  /** Which streams' changes a step cache keeps; none where there is no step cache. */
  readonly stepCache: "none" | "target" | "all";
  /** Sets of weights that the noise levels ask for. */
  readonly phases: number;
  /** Of the LoRAs together. */
  readonly loraBytes: number;
  readonly loraRank: number;
}

/** In the order of a run: `encode` is that of references, `references` their pass through the transformer. */
export const STAGES = ["prompt", "encode", "references", "steps", "decode"] as const;
export type Stage = (typeof STAGES)[number];

/** Most bytes of a stage beside the weights. */
export interface StageMemory {
  readonly stage: Stage;
  readonly bytes: number;
  readonly byPart: PartBytes;
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
    this.#referenceTokens = request.references.reduce((sum, size) => sum + pictureTokens(size), 0);
  }

  run(): readonly StageMemory[] {
    const { memory } = this.#context;
    using scope = memory.scope();
    using clean = memory.scope();
    this.#stage("prompt", () => planTextEncoding(this.#context));
    this.#stage("encode", () => this.#encodePictures(scope));
    const kept = this.#stage("references", () => this.#conditions(scope));
    this.#stage("steps", () => this.#steps(clean));
    this.#stage("decode", () => this.#decode());
    memory.free("referenceCache", kept);
    memory.free("transformer", this.#request.loraBytes);
    return this.#stages;
  }

  #stage<T>(stage: Stage, work: () => T): T {
    const { memory } = this.#context;
    memory.startStage();
    const result = work();
    this.#stages.push({ stage, bytes: memory.peakBytes, byPart: memory.peakByPart });
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
      if (referenceMode === "exact") kept += this.#keepReferences();
    }
    return kept;
  }

  /** The pass of isolated references alone. @returns bytes of their keys and values, which stay */
  #keepReferences(): number {
    const rows = this.#referenceTokens;
    if (rows === 0) return 0;
    const { memory, setup } = this.#context;
    using scope = memory.scope();
    this.#transformer.modulationVectors(scope);
    const kept = this.#transformer.keepKeysValues(rows);
    this.#transformer.embed(scope, rows, setup.config.transformer.inChannels);
    this.#transformer.rotary(scope, rows);
    this.#transformer.run([{ role: "reference", rows }], true);
    return kept;
  }

  /** One picture after another; what is sampled waits in `clean` for its decoding. */
  #steps(clean: PlannedScope): void {
    const { memory, setup } = this.#context;
    const { phases, solverRegisters, guidance, previews, pictures, evaluations } = this.#request;
    const { config, rowsPerChunk } = setup;
    const tokens = pictureTokens(this.#request);
    const wait = (): void => void clean.tensor("f32", [tokens, config.transformer.inChannels]);
    for (let i = 1; i < pictures; i++) wait();
    using room = memory.scope();
    const latents = (): readonly number[] => room.rows("f32", tokens, config.transformer.inChannels, rowsPerChunk);
    for (let i = 0; i <= solverRegisters; i++) latents();
    for (let i = 0; i < phases; i++) {
      this.#transformer.modulationVectors(room);
      this.#transformer.rotary(room, config.textLength);
      this.#transformer.rotary(room, tokens);
      this.#stepCache(room);
    }
    let stored = 0;
    for (let i = 0; i < Math.min(2, evaluations); i++) {
      const velocities: (readonly number[])[] = [];
      for (let pass = guidance ? 2 : 1; pass > 0; pass--) {
        stored += this.#pass(i === 0);
        velocities.push(this.#transformer.velocity(room, tokens));
      }
      if (guidance) room.release(...velocities.pop()!);
      if (previews) {
        const clean = latents();
        for (const chunk of clean) this.#context.readBack(chunk);
        room.release(...clean);
      }
      room.release(...velocities.pop()!);
      this.#context.finiteCheck();
    }
    wait();
    memory.free("referenceCache", stored);
  }

  /**
   * One pass over text, target and references.
   * @returns bytes of keys and values that stay for later steps, which then pass over no references
   */
  #pass(first: boolean): number {
    const { memory, setup } = this.#context;
    const { referenceMode, phases, stepCache } = this.#request;
    const { transformer, textLength, referenceAttention } = setup.config;
    const target = pictureTokens(this.#request);
    const rows = this.#referenceTokens;
    using pass = memory.scope();
    const streams: PlannedStream[] = [
      { role: "text", rows: textLength },
      { role: "target", rows: target },
    ];
    this.#transformer.embed(pass, target, transformer.inChannels);
    this.#transformer.residual(pass, textLength);
    const joins = rows > 0 && referenceMode !== "exact" && (first || referenceMode === "recompute");
    const isolated = referenceAttention === "isolated";
    let stored = 0;
    if (joins && isolated) stored = this.#keepReferences();
    else if (joins) {
      this.#transformer.embed(pass, rows, transformer.inChannels);
      this.#transformer.rotary(pass, rows);
      streams.push({ role: "reference", rows });
      if (referenceMode === "step-one")
        for (let i = 0; i < phases; i++) stored += this.#transformer.keepKeysValues(rows);
    }
    if (stepCache !== "none") this.#transformer.residual(pass, target);
    this.#transformer.run(streams, referenceMode === "step-one");
    if (referenceMode === "step-one") return stored;
    memory.free("referenceCache", stored);
    return 0;
  }

  /** What the step cache of each guidance pass compares with, and the changes that it keeps. */
  #stepCache(room: PlannedScope): void {
    const { stepCache, guidance, referenceMode } = this.#request;
    if (stepCache === "none") return;
    const isolated = this.#context.setup.config.referenceAttention === "isolated";
    const target = pictureTokens(this.#request);
    const others = [
      this.#context.setup.config.textLength,
      isolated || referenceMode === "exact" ? 0 : this.#referenceTokens,
    ];
    const kept = [target, target, ...(stepCache === "all" ? others : [])];
    for (let pass = guidance ? 2 : 1; pass > 0; pass--) for (const rows of kept) this.#transformer.residual(room, rows);
  }

  #decode(): void {
    using scope = this.#context.memory.scope();
    new PlannedVae(this.#context, scope, "decode", this.#request.width).decode(this.#request);
    this.#context.finiteCheck();
  }
}
