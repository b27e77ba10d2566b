import type { Command } from "commander";
import { createTaskRunner } from "../../runtime/node.ts";
import { engineOptions } from "../engine-choice.ts";
import { type ServeArguments, serveArguments } from "../serve/arguments.ts";
import type { RunnerContext, ServedRunner } from "../serve/main.ts";
import { modelLocation } from "./model-argument.ts";
import { standIns } from "./stand-ins.ts";

/** `kleinbild serve`: the hosted API over HTTP and WebSocket. */
export function serveCommand(): Command {
  return serveArguments().action(async (options: ServeArguments) => {
    const { serve } = await import("../serve/main.ts"); // its packages take time to load
    process.exitCode = await serve(options, openRunner);
  });
}

async function openRunner({ model, engine, urls, fetch }: RunnerContext): Promise<ServedRunner> {
  const folder = model === undefined ? undefined : modelLocation(model);
  const runner = createTaskRunner({ standIn: standIns(folder, engineOptions(engine)), mediaUrls: urls, fetch });
  return { runner, media: runner.media, dispose: () => runner.dispose() };
}
