import { readFile, writeFile } from "node:fs/promises";
import cliProgress from "cli-progress";
import {
  createKleinbild,
  type GenerateEvent,
  KleinbildError,
  type LoadEvent,
  type RunReport,
  type SchedulerName,
} from "../../runtime/node.ts";
import { engineOptions } from "../engine-choice.ts";
import { type CliOptions, outType, parseArguments, type PictureOptions, type TaskFileOptions } from "./arguments.ts";
import { serve } from "./serve.ts";
import { describeTasks, runTaskFile } from "./tasks.ts";

const STATUS = { success: 0, badArguments: 1, taskFailed: 2 } as const;

/** What a picture leaves on standard output with --json. */
interface JsonResult {
  readonly out: string;
  readonly width: number;
  readonly height: number;
  readonly report: RunReport;
}

const argv = process.argv.slice(2);
const abort = new AbortController();
process.once("SIGINT", () => abort.abort(new Error("interrupted")));
const bar = new cliProgress.SingleBar(
  { format: "{stage} {bar} {value}/{total}", stream: process.stderr, clearOnComplete: true, hideCursor: true },
  cliProgress.Presets.shades_classic,
);
const LOAD_STAGES = { download: "download, MB", repack: "repack, MB  ", gpu: "loading, MB " };
let loading = "";
// Dawn keeps a finished process alive
process.exit(argv.includes("--serve") ? await serve(argv) : await main(parseArguments(argv)));

async function main(asked: CliOptions): Promise<number> {
  return "task" in asked ? runTasks(asked) : makePicture(asked);
}

async function runTasks(asked: TaskFileOptions): Promise<number> {
  try {
    const answer = await runTaskFile(asked, abort.signal);
    process.stdout.write(asked.json ? `${JSON.stringify(answer)}\n` : describeTasks(answer));
    return answer.errors.length === 0 ? STATUS.success : STATUS.taskFailed;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return abort.signal.aborted ? STATUS.taskFailed : STATUS.badArguments;
  }
}

async function makePicture(asked: PictureOptions): Promise<number> {
  const { json } = asked;
  try {
    const result = await generate(asked);
    bar.stop();
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result));
    return STATUS.success;
  } catch (error) {
    bar.stop();
    const known = error instanceof KleinbildError ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${message}\n`);
    if (!known && !abort.signal.aborted && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    if (json) process.stdout.write(`${JSON.stringify({ error: { code: known?.code, message, ...known?.details } })}\n`);
    if (abort.signal.aborted) return STATUS.taskFailed;
    return known && known.code !== "invalid-request" ? STATUS.taskFailed : STATUS.badArguments;
  }
}

async function generate(asked: PictureOptions): Promise<JsonResult> {
  const { prompt, negativePrompt, out, reference, referenceMode, scheduler, model, modelFile } = asked;
  const { width, height, steps, seed, guidance, noise } = asked;
  const { signal } = abort;
  const references = await Promise.all(reference.map((file) => readFile(file)));
  await using engine = await createKleinbild({
    model: modelFile ?? model,
    ...engineOptions(asked),
    warmUp: false, // one request takes less than all
    signal,
    onProgress: showLoading,
  });
  const generation = engine.generate(
    {
      prompt,
      negativePrompt,
      references,
      referenceMode,
      width,
      height,
      steps,
      scheduler: scheduler as SchedulerName | undefined,
      seed,
      guidance,
      noise,
      previews: false,
    },
    { signal },
  );
  for await (const event of generation) show(event);
  const { image, report } = await generation.result;
  const { bytes } = await image.encode({ type: outType(out) });
  await writeFile(out, bytes);
  return { out, width: image.width, height: image.height, report };
}

function showLoading({ stage, part, loadedBytes, totalBytes }: LoadEvent): void {
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  const what = stage === "gpu" ? stage : `${stage} ${part}`;
  if (what !== loading || !bar.isActive) bar.start(megabytes(totalBytes), 0, { stage: LOAD_STAGES[stage] });
  loading = what;
  bar.update(megabytes(loadedBytes));
}

function show(event: GenerateEvent): void {
  switch (event.type) {
    case "load":
      return showLoading(event);
    case "step":
      if (event.step === 1) bar.start(event.steps, 0, { stage: "steps       " });
      return bar.update(event.step);
    case "encode":
    case "decode":
    case "result":
      return;
    default:
      return event satisfies never;
  }
}

/** For a person. */
function describe({ out, width, height, report }: JsonResult): string {
  const times = Object.entries(report.timings).map(([stage, ms]) => `${stage} ${(ms / 1000).toFixed(2)} s`);
  const { adapter, memory } = report;
  const lines = [
    `${out}: ${width} x ${height}, seed ${report.seed}`,
    times.join(", "),
    `${report.model}, ${report.backend} ${report.dtype}, weights ${report.quantization}, on ${adapter.description || adapter.vendor}`,
    `peak GPU memory ${(memory.peakBytes / 1e6).toFixed(1)} MB`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
  ];
  return `${lines.join("\n")}\n`;
}
