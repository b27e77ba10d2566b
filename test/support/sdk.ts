import { Runware } from "@runware/sdk-js";

/** The published client. */
export type Sdk = InstanceType<typeof Runware>;

export interface SdkOptions {
  readonly apiKey?: string;
  /** How long it waits for all results of a request, in milliseconds; at least 1000. */
  readonly timeoutDuration?: number;
}

/**
 * Runs with the published client connected to a server of ours, and disconnects: its timers would keep a process alive.
 *
 * @param url  of the server, `http://…/v1`
 */
export async function withSdk<T>(url: string, run: (sdk: Sdk) => Promise<T>, options: SdkOptions = {}): Promise<T> {
  const { apiKey = "any", timeoutDuration = 10_000 } = options;
  const sdk = new Runware({ apiKey, url: url.replace(/^http/, "ws"), shouldReconnect: false, timeoutDuration });
  try {
    return await run(sdk);
  } finally {
    await sdk.disconnect();
  }
}
