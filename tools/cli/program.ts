import { Command } from "commander";
import { benchCommand, type RepositoryBench } from "../bench/command.ts";
import { generateCommand } from "./generate.ts";
import { modelsCommand } from "./models.ts";
import { serveCommand } from "./serve.ts";
import { tasksCommand } from "./tasks.ts";

/**
 * Runs the command line and ends the process: with 0 after success, 1 for wrong arguments, 2 where the work failed.
 *
 * @param loadRepository  loads the cases of the benchmark that need the repository
 */
export async function runProgram(loadRepository?: () => Promise<RepositoryBench>): Promise<void> {
  await new Command("kleinbild")
    .description("Makes and edits pictures with FLUX.2 [klein] on WebGPU.")
    .addCommand(generateCommand())
    .addCommand(tasksCommand())
    .addCommand(serveCommand())
    .addCommand(modelsCommand())
    .addCommand(benchCommand(loadRepository))
    .parseAsync();
  process.stdout.write("", () => process.exit()); // Dawn keeps a finished process alive
}
