import { afterEach } from "vitest";
import { type ServerOptions, startServer, type TaskServer } from "../../tools/serve/server.ts";
import { FakeTaskRunner } from "./fake-task-runner.ts";

const servers: TaskServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** The address of a server on any free port, with a fake runner unless one is given; it is closed after the test. */
export async function serve(options: Partial<ServerOptions> = {}): Promise<string> {
  const server = await startServer({ runner: new FakeTaskRunner(), port: 0, ...options });
  servers.push(server);
  return server.url;
}
