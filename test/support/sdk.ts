import { Runware } from "@runware/sdk-js";

/** The published client. */
export type Sdk = InstanceType<typeof Runware>;

/**
 * Runs with the published client connected to a server of ours, and disconnects: its timers would keep a process alive.
 *
 * @param url  of the server, `http://…/v1`
 */
export async function withSdk<T>(url: string, run: (sdk: Sdk) => Promise<T>, apiKey = "any"): Promise<T> {
  const sdk = new Runware({ apiKey, url: url.replace(/^http/, "ws"), shouldReconnect: false });
  try {
    return await run(sdk);
  } finally {
    await sdk.disconnect();
  }
}
