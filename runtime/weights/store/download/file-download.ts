import { sha256 as incrementalSha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { KleinbildError } from "../../../errors.ts";
import type { DownloadTuning, RemoteFile } from "./remote-files.ts";
import { PartialFile } from "../partial-file.ts";
import { delay } from "../delay.ts";
import { differs, discardBody, type RangeAnswer, requestRange, Retriable, type Validator } from "./range-request.ts";
import { bodyOf, wholeBody } from "./response-body.ts";
import { missingSegments, Position, type Segment } from "./segments.ts";
import type { StoreBackend } from "../store-backend.ts";
import { CHUNK_BYTES, sha256, type StoredFile } from "../stored-model.ts";

/** Files that change more often than that while they are read are given up. */
const MAX_RESTARTS = 2;
/** A chunk that is damaged so often is damaged at the server. */
const MAX_DAMAGED = 3;
const MAX_DELAY_MS = 30_000;

/** What a download counts. */
export interface Meter {
  wireBytes: number;
  repeatedBytes: number;
  retries: number;
  restarts: number;
}

/** The file is another one than before at its server. */
class Changed extends Error {}
/** The server sends files whole. */
class Whole extends Error {}

/** Downloads one file into the store, in ranges side by side, or whole where the server knows no ranges. */
export class FileDownload {
  readonly #backend: StoreBackend;
  readonly #id: string;
  readonly #file: RemoteFile;
  readonly #tuning: Required<{ [K in keyof DownloadTuning]: number }>;
  readonly #meter: Meter;
  readonly #onProgress: (storedBytes: number, totalBytes: number) => void;
  #partial: PartialFile | undefined;
  /** Of the version that is being downloaded, by address. */
  #validators: Record<string, Validator> = {};
  /** The address that is asked. */
  #mirror = 0;
  readonly #damaged = new Map<number, number>();

  constructor(
    backend: StoreBackend,
    id: string,
    file: RemoteFile,
    tuning: DownloadTuning,
    meter: Meter,
    onProgress: (storedBytes: number, totalBytes: number) => void,
  ) {
    this.#backend = backend;
    this.#id = id;
    this.#file = file;
    this.#tuning = {
      parallel: tuning.parallel ?? 4,
      attempts: tuning.attempts ?? 8,
      retryDelayMs: tuning.retryDelayMs ?? 500,
      stallMs: tuning.stallMs ?? 30_000,
    };
    this.#meter = meter;
    this.#onProgress = onProgress;
  }

  /**
   * @returns the file as it lies in the store, verified
   * @throws KleinbildError `network`, `missing-file`, `damaged`, `storage-full`, or the signal's reason. What came stays for
   *   the next try, unless there is no room or it is damaged.
   */
  async run(signal: AbortSignal): Promise<StoredFile> {
    const { path } = this.#file;
    this.#partial = await PartialFile.resume(this.#backend, this.#id, path);
    this.#validators = { ...this.#partial?.validators };
    try {
      for (let restarts = 0; ; restarts++)
        try {
          await this.#fetchMissing(signal);
          await this.#verifyWhole();
          return await this.#partial!.finish(path);
        } catch (error) {
          if (!(error instanceof Changed)) throw error;
          if (restarts === MAX_RESTARTS)
            throw new KleinbildError(
              "network",
              `${path} changed at its server again and again while it was downloaded.`,
              { path },
            );
          this.#meter.restarts++;
          await this.#forget();
        }
    } catch (error) {
      const isLost = error instanceof KleinbildError && (error.code === "storage-full" || error.code === "damaged");
      if (isLost) await this.#forget();
      throw error;
    } finally {
      await this.#partial?.close();
    }
  }

  async #fetchMissing(signal: AbortSignal): Promise<void> {
    if (!this.#partial) await this.#retrying(signal, (again) => this.#begin(again));
    const partial = this.#partial!;
    try {
      await this.#fetchSegments(partial, signal);
    } catch (error) {
      if (!(error instanceof Whole)) throw error;
      await this.#retrying(signal, (again) => this.#fetchWhole(again));
    }
  }

  /** Segments side by side; the first failure ends them all. */
  async #fetchSegments(partial: PartialFile, signal: AbortSignal): Promise<void> {
    const segments = missingSegments(partial);
    const failed = new AbortController();
    const all = AbortSignal.any([signal, failed.signal]);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < segments.length) {
        const segment = segments[next++]!;
        await this.#fetchSegment(partial, segment, all);
      }
    };
    const workers = Array.from({ length: this.#tuning.parallel }, () =>
      work().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    const settled = await Promise.allSettled(workers);
    signal.throwIfAborted();
    if (settled.some(({ status }) => status === "rejected")) throw failed.signal.reason;
  }

  /** Learns the file's size from its first bytes, and makes room for it. */
  async #begin(signal: AbortSignal): Promise<void> {
    const url = this.#url;
    const answer = await requestRange(url, this.#file.path, { from: 0, to: CHUNK_BYTES }, {}, signal);
    const unmeasured =
      !answer.partial && answer.size === undefined
        ? await wholeBody(this.#body(answer.response, signal), this.#file.path)
        : undefined;
    const size = unmeasured?.length ?? answer.size!;
    const expected = this.#file.bytes;
    if (expected !== undefined && size !== expected) {
      discardBody(answer.response);
      throw new KleinbildError(
        "damaged",
        `${this.#file.path} has ${size} bytes at ${url}; its manifest says ${expected}.`,
        {
          path: this.#file.path,
          bytes: size,
          expected,
        },
      );
    }
    this.#validators = { [url]: answer.validator };
    this.#partial = await PartialFile.begin(this.#backend, this.#id, this.#file.path, size, this.#validators);
    if (unmeasured) await this.#store(0, unmeasured);
    else if (size > 0)
      await this.#receive(
        answer.response,
        new Position(0, answer.partial ? Math.min(size, CHUNK_BYTES) : size),
        signal,
      );
  }

  async #fetchSegment(partial: PartialFile, { from, to }: Segment, signal: AbortSignal): Promise<void> {
    const place = new Position(from, to);
    await this.#retrying(signal, async (again) => {
      while (place.filled === 0 && place.at < to && partial.has(place.at / CHUNK_BYTES)) place.at += CHUNK_BYTES;
      if (place.at >= to) return;
      const url = this.#url;
      const range = { from: place.at, to };
      const answer = await requestRange(url, this.#file.path, range, this.#validators[url] ?? {}, again);
      this.#expectSameVersion(url, answer);
      if (!answer.partial) {
        this.#meter.repeatedBytes += place.filled;
        discardBody(answer.response);
        throw new Whole();
      }
      await this.#receive(answer.response, place, again);
    });
  }

  /** The whole file from its first byte, of which chunks that are there already are passed over. */
  async #fetchWhole(signal: AbortSignal): Promise<void> {
    const url = this.#url;
    const answer = await requestRange(url, this.#file.path, undefined, {}, signal);
    this.#expectSameVersion(url, answer);
    const place = new Position(0, this.#partial!.bytes);
    try {
      await this.#receive(answer.response, place, signal);
    } finally {
      this.#meter.repeatedBytes += place.filled; // of a chunk that is begun again
    }
  }

  #expectSameVersion(url: string, answer: RangeAnswer): void {
    const known = this.#validators[url];
    const other = known ? differs(known, answer.validator) : false;
    if (other || (answer.size !== undefined && answer.size !== this.#partial!.bytes)) {
      discardBody(answer.response);
      throw new Changed();
    }
    this.#validators[url] = answer.validator;
  }

  /** A body that goes on where `place` is, to its end. What came of a chunk before the connection broke is kept there. */
  async #receive(response: Response, place: Position, signal: AbortSignal): Promise<void> {
    const partial = this.#partial!;
    for await (const bytes of this.#body(response, signal)) {
      if (place.at + bytes.length > place.to)
        throw new Retriable(`${this.#file.path} came with more bytes than asked for`);
      for (let used = 0; used < bytes.length;) {
        const part = bytes.subarray(used, used + CHUNK_BYTES - place.filled);
        place.take(part);
        used += part.length;
        if (place.filled < CHUNK_BYTES && place.at < partial.bytes) continue;
        const chunk = place.chunk.slice(0, place.filled);
        place.filled = 0;
        try {
          await this.#addChunk(Math.ceil(place.at / CHUNK_BYTES) - 1, chunk);
        } catch (error) {
          place.at -= chunk.length; // it is asked for again
          throw error;
        }
      }
    }
    if (place.at < place.to) throw new Retriable(`${this.#file.path} was cut off at byte ${place.at} of ${place.to}`);
  }

  async #addChunk(chunk: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const partial = this.#partial!;
    if (partial.has(chunk)) {
      this.#meter.repeatedBytes += bytes.length;
      return;
    }
    const hash = await sha256(bytes);
    const expected = this.#file.chunks?.bytes === CHUNK_BYTES ? this.#file.chunks.sha256[chunk] : undefined;
    if (expected !== undefined && hash !== expected) {
      this.#meter.repeatedBytes += bytes.length;
      const times = (this.#damaged.get(chunk) ?? 0) + 1;
      this.#damaged.set(chunk, times);
      if (times === MAX_DAMAGED) throw this.#damage(`its bytes from ${chunk * CHUNK_BYTES} on have another hash`);
      throw new Retriable(`${this.#file.path} came damaged`);
    }
    await partial.add(chunk, bytes, hash);
    this.#onProgress(partial.storedBytes, partial.bytes);
  }

  async #store(from: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = from; at < bytes.length; at += CHUNK_BYTES)
      await this.#addChunk(at / CHUNK_BYTES, bytes.slice(at, at + CHUNK_BYTES));
  }

  /** The hash of the file, where its manifest has none of its chunks. */
  async #verifyWhole(): Promise<void> {
    const { sha256: expected, chunks } = this.#file;
    if (expected === undefined || chunks?.bytes === CHUNK_BYTES) return;
    const hash = incrementalSha256.create();
    for (let chunk = 0; chunk < this.#partial!.chunks; chunk++) hash.update(await this.#partial!.read(chunk));
    if (bytesToHex(hash.digest()) !== expected) throw this.#damage("it has another hash");
  }

  async *#body(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const bytes of bodyOf(response, this.#file.path, this.#tuning.stallMs, signal)) {
      this.#meter.wireBytes += bytes.length;
      yield bytes;
    }
  }

  /** Tries again after failures that may pass, at the next address, as long as bytes come in between. */
  async #retrying(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    let failures = 0;
    for (;;) {
      const before = this.#meter.wireBytes - this.#meter.repeatedBytes;
      try {
        return await work(signal);
      } catch (error) {
        signal.throwIfAborted();
        const absent = error instanceof KleinbildError && error.code === "missing-file";
        const others = this.#file.urls.length - 1;
        if (!(error instanceof Retriable) && !(absent && failures < others)) throw error;
        failures = this.#meter.wireBytes - this.#meter.repeatedBytes > before ? 1 : failures + 1;
        if (failures >= this.#tuning.attempts)
          throw new KleinbildError(
            "network",
            `${error.message}, and ${failures} tries failed.`,
            { path: this.#file.path },
            { cause: error },
          );
        this.#meter.retries++;
        this.#mirror++;
        const backOff = Math.min(MAX_DELAY_MS, this.#tuning.retryDelayMs * 2 ** (failures - 1));
        await delay((error instanceof Retriable ? error.afterMs : undefined) ?? backOff, signal);
      }
    }
  }

  get #url(): string {
    return this.#file.urls[this.#mirror % this.#file.urls.length]!;
  }

  #damage(what: string): KleinbildError {
    const { path } = this.#file;
    return new KleinbildError("damaged", `${path} is damaged at its server: ${what} than its manifest says.`, { path });
  }

  /** Begins the file again; what came of it counts as repeated. */
  async #forget(): Promise<void> {
    this.#meter.repeatedBytes += this.#partial?.storedBytes ?? 0;
    await this.#partial?.close();
    this.#partial = undefined;
    this.#validators = {};
    await PartialFile.remove(this.#backend, this.#id, this.#file.path);
  }
}
