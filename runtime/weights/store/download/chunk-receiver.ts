import { KleinbildError } from "../../../errors.ts";
import type { PartialFile } from "../partial-file.ts";
import { CHUNK_BYTES, sha256 } from "../stored-model.ts";
import { Retriable } from "./range-request.ts";
import type { Meter, RemoteFile } from "./remote-files.ts";

/** A chunk that arrives damaged this often is damaged at the server. */
const MAX_DAMAGED = 3;

/** The next byte that a request is to receive, and the chunk that is being filled. */
export class Position {
  /** The next byte of the file. */
  at: number;
  /** The end of the request. */
  readonly to: number;
  readonly chunk = new Uint8Array(CHUNK_BYTES);
  /** Bytes in `chunk`. */
  filled = 0;

  constructor(at: number, to: number) {
    this.at = at;
    this.to = to;
  }

  take(bytes: Uint8Array): void {
    this.chunk.set(bytes, this.filled);
    this.filled += bytes.length;
    this.at += bytes.length;
  }
}

/** Cuts response bodies into chunks, verifies each chunk and stores it. */
export class ChunkReceiver {
  readonly #file: RemoteFile;
  readonly #meter: Meter;
  readonly #onProgress: (storedBytes: number, totalBytes: number) => void;
  /** How often each chunk arrived damaged. */
  readonly #damaged = new Map<number, number>();

  constructor(file: RemoteFile, meter: Meter, onProgress: (storedBytes: number, totalBytes: number) => void) {
    this.#file = file;
    this.#meter = meter;
    this.#onProgress = onProgress;
  }

  /**
   * Stores a body that starts at `position`. If the connection breaks, the bytes of an incomplete chunk stay in `position`.
   * @throws Retriable, or KleinbildError `damaged`
   */
  async receive(partial: PartialFile, body: AsyncIterable<Uint8Array>, position: Position): Promise<void> {
    const { path } = this.#file;
    for await (const bytes of body) {
      if (position.at + bytes.length > position.to)
        throw new Retriable(`${path} came with more bytes than were asked for`);
      for (let used = 0; used < bytes.length;) {
        const piece = bytes.subarray(used, used + CHUNK_BYTES - position.filled);
        position.take(piece);
        used += piece.length;
        if (position.filled < CHUNK_BYTES && position.at < partial.bytes) continue;
        const chunk = position.chunk.slice(0, position.filled);
        position.filled = 0;
        try {
          await this.#add(partial, Math.ceil(position.at / CHUNK_BYTES) - 1, chunk);
        } catch (error) {
          position.at -= chunk.length; // to ask for it again
          throw error;
        }
      }
    }
    if (position.at < position.to) throw new Retriable(`${path} was cut off at byte ${position.at} of ${position.to}`);
  }

  /** Stores a whole file. */
  async store(partial: PartialFile, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
      await this.#add(partial, at / CHUNK_BYTES, bytes.slice(at, at + CHUNK_BYTES));
  }

  async #add(partial: PartialFile, chunk: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (partial.has(chunk)) {
      this.#meter.repeatedBytes += bytes.length;
      return;
    }
    const hash = await sha256(bytes);
    const { path, chunks } = this.#file;
    const expected = chunks?.bytes === CHUNK_BYTES ? chunks.sha256[chunk] : undefined;
    if (expected !== undefined && hash !== expected) {
      this.#meter.repeatedBytes += bytes.length;
      const times = (this.#damaged.get(chunk) ?? 0) + 1;
      this.#damaged.set(chunk, times);
      if (times === MAX_DAMAGED) throw damagedAtServer(path, `its bytes from ${chunk * CHUNK_BYTES} on do`);
      throw new Retriable(`${path} came damaged`);
    }
    await partial.add(chunk, bytes, hash);
    this.#onProgress(partial.storedBytes, partial.bytes);
  }
}

/** @param what  subject and verb: `it does`, `its bytes do` */
export function damagedAtServer(path: string, what: string): KleinbildError {
  return new KleinbildError(
    "damaged",
    `${path} is damaged at its server: ${what} not match the hash in its manifest.`,
    { path },
  );
}
