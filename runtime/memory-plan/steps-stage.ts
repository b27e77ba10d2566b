import type { PlannedScope } from "./ledger.ts";
import type { PlanContext } from "./plan-context.ts";
import { type PlannedRequest, referenceTokens } from "./planned-request.ts";
import type { PlannedStream, PlannedTransformer } from "./transformer-pass.ts";
import { pictureTokens } from "./vae-pass.ts";

/** What `samplePicture`, `Denoiser` and `SolverRun` allocate from noise to clean latents. */
export class PlannedSteps {
  readonly #context: PlanContext;
  readonly #request: PlannedRequest;
  readonly #transformer: PlannedTransformer;

  constructor(context: PlanContext, request: PlannedRequest, transformer: PlannedTransformer) {
    this.#context = context;
    this.#request = request;
    this.#transformer = transformer;
  }

  /** One picture after another; what is sampled waits in `clean` for its decoding. */
  run(clean: PlannedScope): void {
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
        const predicted = latents();
        for (const chunk of predicted) this.#context.readBack(chunk);
        room.release(...predicted);
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
    const rows = referenceTokens(this.#request);
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
    if (joins && isolated) stored = this.#transformer.keepReferences(rows);
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
      isolated || referenceMode === "exact" ? 0 : referenceTokens(this.#request),
    ];
    const kept = [target, target, ...(stepCache === "all" ? others : [])];
    for (let pass = guidance ? 2 : 1; pass > 0; pass--) for (const rows of kept) this.#transformer.residual(room, rows);
  }
}
