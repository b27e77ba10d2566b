import { nodeEngineHost } from "./platform.ts";
import { processEndpoint } from "./process-endpoint.ts";
import { exposeEngine } from "../remote/rpc.ts";

/** The child process of `kleinbild/node`. It ends when its parent does. */
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
exposeEngine(nodeEngineHost(), processEndpoint(process));
