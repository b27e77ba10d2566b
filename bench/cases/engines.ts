import type { BackendName } from "../../runtime/backend/backend.ts";
import { Engine, type EngineEvent } from "../../runtime/engine/engine.ts";
import type { EngineOptions } from "../../runtime/engine/engine-options.ts";
import type { EngineResult } from "../../runtime/engine/engine-result.ts";
import type { PixelImage } from "../../runtime/image/pixels.ts";
import type { GenerateRequest } from "../../runtime/request/request.ts";
import type { CaseRun } from "../bench-case.ts";
import type { BenchModel } from "../platform.ts";

/** Runs `work` with its own engine. */
export async function withEngine<T>(
  run: CaseRun,
  model: BenchModel,
  options: EngineOptions & { readonly backend: BackendName },
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await Engine.create(run.platform, run.platform.openModel(model), options, { signal: run.signal });
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

/** Makes one picture. */
export async function makePicture(
  run: CaseRun,
  engine: Engine,
  request: GenerateRequest,
  onEvent: (event: EngineEvent) => void = () => {},
): Promise<EngineResult> {
  let result: EngineResult | undefined;
  for await (const event of engine.generate({ ...request, previews: false }, run.signal)) {
    onEvent(event);
    if (event.type === "result") result = event;
  }
  return result!;
}

/** A reference picture, different for each `index`. */
export function patternPicture(side: number, index: number): PixelImage {
  const data = new Uint8ClampedArray(side * side * 4);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      data.set([x * 2, y * 2, (((x >> 4) + (y >> 4) + index) % 4) * 60, 255], (y * side + x) * 4);
  return { width: side, height: side, data };
}
