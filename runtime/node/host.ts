import { nodeEngineHost } from "./platform.ts";
import { processEndpoint } from "./process-endpoint.ts";
import { exposeHost } from "../remote/comlink-port.ts";

/** The child process of `kleinbild/node`. It ends when its parent does. */
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
exposeHost(nodeEngineHost(), undefined, processEndpoint(process));
