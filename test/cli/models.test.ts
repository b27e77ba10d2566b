import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openModels } from "../../runtime/node.ts";
import { type ModelServer, serveModel } from "../../tools/synthesize/model-server.ts";
import { NANO } from "../support/nano.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kleinbild-models-"));
const TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors";
const MIB = 1 << 20;

let server: ModelServer;
beforeAll(async () => {
  server = await serveModel(NANO);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Command {
  readonly child: ChildProcess;
  readonly status: Promise<number | null>;
  stdout: string;
  stderr: string;
}

/** `npm run models -- …`, in its own process group, so that all its processes can be killed. */
function models(...args: readonly string[]): Command {
  const child = spawn(process.execPath, ["tools/run.mjs", "cli", "models", ...args], { cwd: ROOT, detached: true });
  const status = new Promise<number | null>((resolve) => child.on("close", resolve));
  const command: Command = { child, status, stdout: "", stderr: "" };
  child.stdout.on("data", (data: Buffer) => (command.stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (command.stderr += data.toString()));
  return command;
}

/** Kills a command as soon as it says something. */
async function killAt(command: Command, text: RegExp): Promise<void> {
  await new Promise<void>((resolve) => {
    command.child.stderr!.on("data", () => {
      if (text.test(command.stderr)) resolve();
    });
  });
  process.kill(-command.child.pid!, "SIGKILL");
  await command.status;
}

const sent = (path: string): number => server.sentBytes.get(path) ?? 0;

describe("npm run models --", () => {
  it("goes on with a download whose process was killed, and downloads nothing twice", async () => {
    const store = join(folder, "download");
    server.sentBytes.clear();
    server.pause = () => new Promise(() => {}); // the middle of each request
    await killAt(models("download", server.url, "--store", store), /download transformer [4-9]\d %/);
    server.pause = undefined;
    expect((await openModels({ storeFolder: store }).list()).map(({ complete }) => complete)).toEqual([false]);
    const again = models("download", server.url, "--store", store);
    expect(await again.status, again.stderr).toBe(0);
    const kept = JSON.parse(again.stdout) as { id: string; complete: boolean };
    expect(kept.complete).toBe(true);
    // the headers, twice, and the pending chunks of four requests
    expect(sent(TRANSFORMER)).toBeLessThan(statSync(join(NANO, TRANSFORMER)).size + 4 * MIB + 200_000);
    const verify = models("verify", kept.id, "--store", store);
    expect(await verify.status).toBe(0);
    expect(JSON.parse(verify.stdout)).toEqual([]);
  });

  it("resumes repacking after its process was killed, from the downloaded files", async () => {
    const store = join(folder, "repack");
    const args = ["download", server.url, "--store", store, "--quantization", "q4"] as const;
    server.sentBytes.clear();
    await killAt(models(...args), /repack transformer \d/);
    expect((await openModels({ storeFolder: store }).list()).filter(({ id }) => id.endsWith("-q4-mse"))).toMatchObject([
      { complete: false },
    ]);
    const again = models(...args);
    expect(await again.status, again.stderr).toBe(0);
    expect(sent(TRANSFORMER)).toBeLessThan(statSync(join(NANO, TRANSFORMER)).size + 400_000); // headers
    const list = models("list", "--store", store);
    await list.status;
    expect(JSON.parse(list.stdout)).toMatchObject([{ complete: true, name: "klein-nano (q4)" }]);
  });

  it("reports the problem, and ends with status 2", async () => {
    const command = models("availability", join(folder, "nowhere"), "--store", folder);
    expect(await command.status).toBe(2);
    expect(command.stderr).toMatch(/missing-file: There is no folder or file/);
    expect(command.stdout).toBe("");
    const verify = models("verify", "nothing", "--store", folder);
    expect(await verify.status).toBe(2);
    expect(verify.stderr).toMatch(/The store has no model nothing/);
  });
});
