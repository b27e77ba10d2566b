import { KleinbildError } from "../../../errors.ts";
import { joinChunks } from "../../sources/http-response.ts";
import { Retriable } from "./range-request.ts";

/** A file of unknown length is held in memory up to this size. */
const MAX_UNMEASURED_BYTES = 64 << 20;

/**
 * The bytes of a response as they arrive.
 * @throws Retriable when the connection breaks or no byte arrives for `stallMs` milliseconds, or the signal's reason
 */
export async function* bodyOf(
  response: Response,
  path: string,
  stallMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  while (reader) {
    const stalled = new AbortController();
    const timer = setTimeout(() => {
      stalled.abort();
      void reader.cancel().catch(() => {});
    }, stallMs);
    try {
      const { done, value } = await reader.read();
      if (stalled.signal.aborted) throw new Retriable(`no more bytes of ${path} arrived`);
      if (done) return;
      yield value;
    } catch (cause) {
      signal.throwIfAborted();
      void reader.cancel().catch(() => {});
      if (cause instanceof Error && (cause instanceof KleinbildError || cause instanceof Retriable)) throw cause;
      throw new Retriable(`the connection broke within ${path}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A body of unknown length as one array. @throws KleinbildError `network` when it is too long to hold in memory */
export async function wholeBody(body: AsyncIterable<Uint8Array>, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    if (length > MAX_UNMEASURED_BYTES)
      throw new KleinbildError(
        "network",
        `${path} is sent without its length, which is accepted up to ${MAX_UNMEASURED_BYTES} bytes.`,
        { path },
      );
    chunks.push(bytes);
  }
  return joinChunks(chunks, length);
}
