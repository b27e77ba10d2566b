// Runs in Deno, whose WebGPU is wgpu with naga: reads a NagaRequest from its input and writes a NagaReply.
import { Buffer } from "node:buffer";
import process from "node:process";
import type { NagaModule, NagaReply, NagaRequest, NagaRun } from "./protocol.ts";

const STORAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST
const UNIFORM = 0x40 | 0x08; // UNIFORM | COPY_DST
const READBACK = 0x01 | 0x08; // MAP_READ | COPY_DST
const MAP_READ = 0x01;

/** Devices with and without f16, of baseline limits. */
async function openDevices(adapter: GPUAdapter): Promise<(f16: boolean) => GPUDevice> {
  const plain = await adapter.requestDevice();
  const half = adapter.features.has("shader-f16")
    ? await adapter.requestDevice({ requiredFeatures: ["shader-f16"] })
    : undefined;
  return (f16) => {
    if (!f16) return plain;
    if (!half) throw new Error("this adapter has no shader-f16");
    return half;
  };
}

async function compile(device: GPUDevice, { code, variants }: NagaModule): Promise<readonly string[]> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const { messages } = await module.getCompilationInfo();
  const errors = messages.map(({ type, message }) => `${type}: ${message}`);
  for (const constants of variants)
    try {
      await device.createComputePipelineAsync({
        layout: "auto",
        compute: { module, entryPoint: "main", constants },
      });
    } catch (error) {
      errors.push(`with ${JSON.stringify(constants)}: ${messageOf(error)}`);
    }
  const scope = await device.popErrorScope();
  if (scope) errors.push(`validation: ${scope.message}`);
  return errors;
}

async function run(device: GPUDevice, { code, constants, storage, parameters, grid }: NagaRun) {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main", constants } });
  const buffers = [...storage.map((data) => upload(device, data, STORAGE)), upload(device, parameters, UNIFORM)];
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(...grid);
  pass.end();
  const copies = buffers.slice(0, -1).map((buffer) => {
    const copy = device.createBuffer({ size: buffer.size, usage: READBACK });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) return { error: error.message };
  const results: string[] = [];
  for (const copy of copies) {
    await copy.mapAsync(MAP_READ);
    results.push(Buffer.from(copy.getMappedRange()).toString("base64"));
  }
  return { storage: results };
}

function upload(device: GPUDevice, base64: string, usage: number): GPUBuffer {
  const bytes = Buffer.from(base64, "base64");
  const buffer = device.createBuffer({ size: bytes.length, usage });
  device.queue.writeBuffer(buffer, 0, bytes);
  return buffer;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function answer({ modules, runs }: NagaRequest): Promise<NagaReply> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("Deno found no WebGPU adapter");
  const device = await openDevices(adapter);
  const reply = { adapter: adapter.info.description, modules: {}, runs: {} } satisfies NagaReply;
  const compiled: Record<string, readonly string[]> = reply.modules;
  for (const module of modules) compiled[module.id] = await compile(device(module.f16), module);
  const ran: Record<string, NagaReply["runs"][string]> = reply.runs;
  for (const job of runs) ran[job.id] = await run(device(job.code.startsWith("enable f16;")), job);
  return reply;
}

let input = "";
for await (const chunk of process.stdin.setEncoding("utf8")) input += String(chunk);
const output = JSON.stringify(await answer(JSON.parse(input) as NagaRequest));
process.stdout.write(output, () => process.exit(0)); // the devices would keep the process alive
