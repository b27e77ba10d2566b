import { createTaskRunner } from "../../runtime/node.ts";
import { engineOptions } from "../engine-choice.ts";
import { serveMain } from "../serve/main.ts";
import { modelFolder } from "./arguments.ts";
import { standIns } from "./stand-ins.ts";

/** Answers the API over HTTP and WebSocket until it is told to end. Returns the exit status. */
export function serve(argv: readonly string[]): Promise<number> {
  return serveMain(argv, async ({ model, engine, urls, fetch }) => {
    const folder = model === undefined ? undefined : modelFolder(model);
    const runner = createTaskRunner({ standIn: standIns(folder, engineOptions(engine)), mediaUrls: urls, fetch });
    return { runner, media: runner.media, dispose: () => runner.dispose() };
  });
}
