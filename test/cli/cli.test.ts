import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { readMetadata, type RunReport } from "../../runtime/node.ts";
import { reportOf, rowOf } from "../support/bench-report.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kleinbild-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the scripts of package.json run. */
const SCRIPTS = {
  start: ["tools/start.mjs"],
  golden: ["tools/run.mjs", "golden"],
  bench: ["tools/run.mjs", "cli", "bench"],
  kleinbild: ["tools/run.mjs", "cli"],
} as const;

function run(command: keyof typeof SCRIPTS, ...args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SCRIPTS[command], ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const TINY = [
  "--prompt",
  "a fox on a teal background",
  "--width",
  "64",
  "--height",
  "64",
  "--steps",
  "1",
  "--dtype",
  "f32",
];

describe("npm start --", () => {
  it("writes a picture, edits it, and prints one JSON object and nothing else", async () => {
    const fox = join(folder, "fox.png");
    const made = run("start", ...TINY, "--seed", "7", "--noise", "torch", "--out", fox, "--json");
    expect(made.stderr).not.toMatch(/error/i);
    expect(made.status).toBe(0);
    const result = JSON.parse(made.stdout) as { out: string; width: number; height: number; report: RunReport };
    expect(result).toMatchObject({
      out: fox,
      width: 64,
      height: 64,
      report: { seed: "7", noise: "torch", dtype: "f32", steps: 1 },
    });
    expect(await readMetadata(readFileSync(fox))).toMatchObject({
      prompt: TINY[1],
      seed: "7",
      noise: "torch",
      model: "klein-nano",
    });
    const red = join(folder, "red.webp");
    const edited = run("start", ...TINY, "--reference", fox, fox, "--out", red, "--quantization", "q8");
    expect(edited.status).toBe(0);
    expect(edited.stdout).toMatch(/red\.webp: 64 x 64, seed \d+\n.*steps .* s.*\n.*weights q8/);
    expect(await readMetadata(readFileSync(red))).toMatchObject({ model: "klein-nano", steps: 1 });
  });

  it.each([
    [["--width", "64"], /one of --prompt <text> and --task <file> is needed/],
    [["--prompt", "x", "--task", "package.json"], /one of --prompt <text> and --task <file> is needed/],
    [["--task", "package.json", "--steps", "4"], /with --task, steps is said in the task/],
    [["--task", "nowhere.json"], /There is no file nowhere\.json/],
    [["--task", "README.md"], /README\.md is no JSON/],
    [["--task", "package.json", "--lora", "style"], /id=file was expected/],
    [["--prompt", "x", "--lora", "style=README.md"], /--lora is for --task/],
    [["--prompt", "x", "--scheduler", "euler"], /'--scheduler.*'euler' is invalid/],
    [["--prompt", "x", "--out", "x.gif"], /--out needs a name ending in \.png/],
    [["--prompt", "x", "--width", "big"], /'--width.*'big' is invalid\. A whole number/],
    [["--prompt", "x", "--seed", "-1"], /'--seed.*A whole number of 0 to 2\^63 - 1/],
    [["--prompt", "x", "--guidance", "much"], /'--guidance.*A number was expected/],
    [["--prompt", "x", "--reference", "nowhere.png"], /There is no file nowhere\.png/],
    [["--prompt", "x", "--model", "nowhere"], /There is no folder or file nowhere; klein-nano and klein-nano-base/],
    [["--prompt", "x", "--backend", "cuda"], /'--backend.*'cuda' is invalid\. Allowed choices are auto, ort/],
    [["--prompt", "x", "--dtype", "f8"], /Allowed choices are f32, f16/],
    [["--prompt", "x", "--noise", "pink"], /Allowed choices are counter, torch/],
    [["--prompt", "x", "--propmt", "y"], /unknown option '--propmt'/],
    [["--prompt", "x", "y"], /too many arguments/],
  ] as const)("refuses %j with status 1", (args, message) => {
    const { status, stdout, stderr } = run("start", ...args);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([1, ""]);
  });

  it("distinguishes a request that the model refuses (status 1) from a task that fails (status 2), also with JSON", () => {
    const refused = run("start", "--prompt", "x", "--width", "100", "--height", "64", "--json");
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: { code: "invalid-request", parameter: "width", nearest: 96 },
    });
    expect(refused.status).toBe(1);
    const text = join(folder, "text.png");
    writeFileSync(text, "no picture");
    const failed = run("start", ...TINY, "--reference", text, "--out", join(folder, "out.png"), "--json");
    expect(JSON.parse(failed.stdout)).toMatchObject({
      error: { code: "invalid-image", parameter: "references", index: 0 },
    });
    expect(failed.status).toBe(2);
  });
});

describe("kleinbild", () => {
  it("lists its subcommands", () => {
    const { status, stdout } = run("kleinbild", "--help");
    for (const name of ["generate", "tasks", "serve", "models", "bench"])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(status).toBe(0);
  });

  it.each([
    [["generate"], /required option '--prompt <text>' not specified/],
    [["generate", "--prompt", "x", "--scheduler", "Heum"], /'Heum' is invalid\. Did you mean "Heun"\?/],
    [["generate", "--prompt", "x", "--model", "klein-nano", "--model-file", "a=README.md"], /both name the model/],
    [["tasks"], /required option '--task <file>' not specified/],
    [["serve", "--port", "65536"], /A whole number of 0 to 65535/],
    [["models", "list", "x"], /too many arguments/],
    [["paint"], /unknown command 'paint'/],
  ] as const)("refuses %j with status 1", (args, message) => {
    const { status, stdout, stderr } = run("kleinbild", ...args);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([1, ""]);
  });
});

describe("npm start -- --task", () => {
  const task = {
    taskType: "imageInference",
    model: "runware:400@4",
    positivePrompt: "a fox on a teal background",
    width: 128,
    height: 128,
    steps: 1,
    outputFormat: "PNG",
  };
  const uuid = (digit: number): string => `5f0c1d7e-8a4b-4c39-9d21-0e6f3b7a8c5${digit}`;

  it("answers tasks in the API's shape, waits for asynchronous ones, and ends with 2 when one failed", () => {
    const file = join(folder, "tasks.json");
    const out = join(folder, "pictures");
    writeFileSync(
      file,
      JSON.stringify([
        { ...task, taskUUID: uuid(1), seed: 7, deliveryMethod: "async" },
        { ...task, taskUUID: uuid(2), height: 100 },
      ]),
    );
    const { status, stdout } = run("start", "--task", file, "--json", "--out", out, "--dtype", "f32");
    const answer = JSON.parse(stdout) as { data: { imageURL: string }[]; errors: unknown[] };
    expect(answer).toMatchObject({
      data: [
        { taskType: "imageInference", taskUUID: uuid(1) },
        { taskUUID: uuid(1), status: "success", seed: 7, warnings: [expect.stringMatching(/klein-nano answered/)] },
      ],
      errors: [{ taskUUID: uuid(2), code: "invalidHeight", parameter: "height", min: 128 }],
    });
    expect(answer.data).toHaveLength(2);
    expect(readFileSync(fileURLToPath(answer.data[1]!.imageURL)).subarray(1, 4).toString()).toBe("PNG");
    expect(answer.data[1]!.imageURL.startsWith(pathToFileURL(out).href)).toBe(true);
    expect(status).toBe(2);
  });

  it("ends with 0 when nothing failed", () => {
    const file = join(folder, "none.json");
    writeFileSync(file, "[]");
    expect(run("start", "--task", file, "--json")).toMatchObject({ status: 0, stdout: '{"data":[],"errors":[]}\n' });
  });
});

describe("npm run golden --", () => {
  const goldens = join(ROOT, "test/golden");

  it("prints a line a case and the count, pending kinds in neither number", () => {
    const { status, stdout } = run("golden", goldens, "--only", "schedule");
    expect(stdout).toMatch(/^schedule schedule cosine 1\.0+ max abs \S+ ok\n1 passed, 0 failed\n$/);
    expect(status).toBe(0);
    expect(run("golden", goldens, "--only", "plain-inpaint")).toMatchObject({
      status: 1,
      stdout: "pipeline-plain-inpaint inpaint pending\n0 passed, 0 failed\n",
    });
  });

  it("fails where nothing matches and where there is no such folder", () => {
    expect(run("golden", goldens, "--only", "no such case")).toMatchObject({
      status: 1,
      stdout: "0 passed, 0 failed\n",
    });
    expect(run("golden", join(folder, "nowhere"))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("ENOENT"),
    });
  });
});

describe("npm run bench --", () => {
  it("refuses a case that does not exist", () => {
    const { status, stderr } = run("bench", "nothing");
    expect(stderr).toMatch(/Allowed choices are roofline, operators, pictures/);
    expect(status).toBe(1);
  });

  it("compares a report with itself, and names a file that is none", () => {
    const report = join(folder, "report.json");
    const rows = [rowOf("linear", { wgsl: { value: 2, spread: [1, 3], unit: "ms" } })];
    writeFileSync(report, JSON.stringify(reportOf(rows)));
    expect(run("bench", "compare", report, report)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("| operators | linear, f32 | wgsl, ms | 2 (1–3) | 2 (1–3) | 1.00 | yes |"),
    });
    const { status, stderr } = run("bench", "compare", report, join(ROOT, "package.json"));
    expect(stderr).toMatch(/^bench: .*package\.json: A report of the benchmark was expected; format: /m);
    expect(status).toBe(1);
  });
});
