import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-web/webgpu";
import { KleinbildError } from "../../errors.ts";
import { elementCount, type Tensor } from "../../gpu/tensor.ts";
import { encodeModel, type OnnxGraph } from "./onnx.ts";

type Ort = typeof import("onnxruntime-web/webgpu");

/** A tensor as an input or output of a graph, in the shape that the graph expects. */
export interface Operand {
  readonly tensor: Tensor;
  readonly shape?: readonly number[];
}

const ELEMENT_TYPE = { f32: "float32", f16: "float16", u32: "uint32", u8: "uint8" } as const;

/** There is one onnxruntime for each realm, with global settings. It is fetched when the first engine needs it. */
let loading: Promise<Ort> | undefined;

async function loadOrt(wasmUrl: string | undefined): Promise<Ort> {
  loading ??= import("onnxruntime-web/webgpu").then((ort) => {
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = 1; // more would need SharedArrayBuffer, hence cross-origin isolation of every embedding site
    if (wasmUrl !== undefined) ort.env.wasm.wasmPaths = { wasm: wasmUrl };
    return ort;
  });
  try {
    return await loading;
  } catch (cause) {
    loading = undefined; // a later engine may try again
    throw new KleinbildError("unsupported", "onnxruntime-web could not be loaded.", {}, { cause });
  }
}

/** The version of onnxruntime-web. @throws KleinbildError `unsupported` when it cannot be loaded */
export async function ortVersion(wasmUrl?: string): Promise<string> {
  const { env } = await loadOrt(wasmUrl);
  return env.versions.web ?? env.versions.common;
}

/** Sessions of small graphs on the injected device, created on first use and cached by key. */
export class OrtSessions {
  readonly #ort: Ort;
  readonly #device: GPUDevice;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  private constructor(ort: Ort, device: GPUDevice) {
    this.#ort = ort;
    this.#device = device;
  }

  /** @throws KleinbildError `unsupported` when onnxruntime-web, or its wasm, cannot be loaded */
  static async create(device: GPUDevice, wasmUrl?: string): Promise<OrtSessions> {
    const sessions = new OrtSessions(await loadOrt(wasmUrl), device);
    await sessions.#session("first", firstGraph); // it fetches the wasm, so that a missing file fails here
    return sessions;
  }

  /** Runs the graph of `key`, built on first use. Everything stays on the GPU; one submission. */
  async run(
    key: string,
    build: () => OnnxGraph,
    inputs: Readonly<Record<string, Operand>>,
    outputs: Readonly<Record<string, Operand>>,
  ): Promise<void> {
    const session = await this.#session(key, build);
    const feeds = this.#wrap(inputs);
    const fetches = this.#wrap(outputs);
    await session.run(feeds, fetches);
  }

  async dispose(): Promise<void> {
    const sessions = await Promise.allSettled(this.#sessions.values());
    this.#sessions.clear();
    for (const session of sessions) if (session.status === "fulfilled") await session.value.release();
  }

  #session(key: string, build: () => OnnxGraph): Promise<InferenceSession> {
    let session = this.#sessions.get(key);
    if (!session) {
      session = this.#ort.InferenceSession.create(encodeModel(build()), {
        executionProviders: [{ name: "webgpu", device: this.#device }],
        preferredOutputLocation: "gpu-buffer",
        graphOptimizationLevel: "all",
      }).catch((cause: unknown) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new KleinbildError("unsupported", `onnxruntime-web could not create a session: ${reason}`, {}, { cause });
      });
      this.#sessions.set(key, session);
    }
    return session;
  }

  #wrap(operands: Readonly<Record<string, Operand>>): Record<string, OrtTensor> {
    const tensors: Record<string, OrtTensor> = {};
    for (const [name, { tensor, shape }] of Object.entries(operands)) {
      const dims = shape ?? tensor.shape;
      if (elementCount(dims) !== elementCount(tensor.shape))
        throw new KleinbildError(
          "invalid-shape",
          `${name} must have the shape [${dims.join(", ")}]; got [${tensor.shape.join(", ")}].`,
        );
      tensors[name] = this.#ort.Tensor.fromGpuBuffer(tensor.buffer, { dataType: ELEMENT_TYPE[tensor.dtype], dims });
    }
    return tensors;
  }
}

/** y = x, of one value. */
function firstGraph(): OnnxGraph {
  const value = { type: "float32", shape: [1] } as const;
  return {
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
    inputs: [{ ...value, name: "x" }],
    outputs: [{ ...value, name: "y" }],
  };
}
