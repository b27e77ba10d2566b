import { KleinbildError } from "../runtime/errors.ts";
import { BrowserImageCodec } from "../runtime/page/browser-image-codec.ts";
import { exposeHost } from "../runtime/remote/comlink-port.ts";
import { WorkHost } from "../runtime/remote/work-host.ts";
import { HttpSource } from "../runtime/weights/sources/http-source.ts";
import type { WorkerBenchmarkOptions } from "./client.ts";
import { PAGE_CASES, runCases } from "./run-cases.ts";

/** The worker of a run in a page. The page terminates it after the run or an abort. */
const host = new WorkHost<WorkerBenchmarkOptions>(({ choice, nano, base, ortWasmUrl }, signal) => {
  if (!("gpu" in navigator)) throw new KleinbildError("no-webgpu", "This browser does not support WebGPU in workers.");
  const platform = {
    gpu: navigator.gpu,
    codec: new BrowserImageCodec(),
    ortWasmUrl,
    openModel(name: "klein-nano" | "klein-nano-base") {
      const address = name === "klein-nano" ? nano : base;
      if (address !== undefined) return new HttpSource(address);
      throw new KleinbildError(
        "missing-file",
        "This case needs klein-nano-base. Give the address of its folder as baseModel.",
        {
          parameter: "baseModel",
        },
      );
    },
    versions: { userAgent: navigator.userAgent },
  };
  return runCases(platform, PAGE_CASES, choice, signal);
});

exposeHost(host);
