import { sha256 as incrementalSha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { KleinbildError } from "../../../errors.ts";
import { discardBody } from "../../sources/http-response.ts";
import { PartialFile } from "../partial-file.ts";
import type { StoreBackend } from "../store-backend.ts";
import { CHUNK_BYTES, type StoredFile } from "../stored-model.ts";
import { ChunkReceiver, damagedAtServer, Position } from "./chunk-receiver.ts";
import { differs, type RangeAnswer, requestRange, type Validator } from "./range-request.ts";
import type { DownloadTuning, Meter, RemoteFile } from "./remote-files.ts";
import { bodyOf, wholeBody } from "./response-body.ts";
import { Retries } from "./retries.ts";

/** A file that changes more often than this during its download is given up. */
const MAX_RESTARTS = 2;
const CHUNKS_PER_REQUEST = 8;

export interface FileDownloadOptions {
  readonly backend: StoreBackend;
  /** The model's id in the store. */
  readonly id: string;
  readonly file: RemoteFile;
  readonly tuning: DownloadTuning;
  readonly meter: Meter;
  readonly onProgress: (storedBytes: number, totalBytes: number) => void;
}

/** The file at the server is not the one whose download began. */
class Changed extends Error {}
/** The server does not support ranges. */
class RangesUnsupported extends Error {}

/** Bytes `from … to − 1` of the file, for one request. */
interface Segment {
  readonly from: number;
  readonly to: number;
}

/** Downloads one file into the store: by parallel range requests, or as a whole if the server does not support ranges. */
export class FileDownload {
  readonly #backend: StoreBackend;
  readonly #id: string;
  readonly #file: RemoteFile;
  readonly #parallel: number;
  readonly #stallMs: number;
  readonly #meter: Meter;
  readonly #retries: Retries;
  readonly #receiver: ChunkReceiver;
  #partial: PartialFile | undefined;
  /** Validators of the version that is being downloaded, by address. */
  #validators: Record<string, Validator> = {};

  constructor({ backend, id, file, tuning, meter, onProgress }: FileDownloadOptions) {
    this.#backend = backend;
    this.#id = id;
    this.#file = file;
    this.#parallel = tuning.parallel ?? 4;
    this.#stallMs = tuning.stallMs ?? 30_000;
    this.#meter = meter;
    const { attempts = 8, retryDelayMs = 500 } = tuning;
    this.#retries = new Retries(file, { attempts, retryDelayMs }, meter);
    this.#receiver = new ChunkReceiver(file, meter, onProgress);
  }

  /**
   * A download that fails keeps its chunks for the next try, unless the disk is full or the file is damaged at its server.
   *
   * @returns the verified file in the store
   * @throws KleinbildError `network`, `missing-file`, `damaged`, `storage-full`, or the signal's reason
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
              `${path} changed at its server again and again during the download. Try again later.`,
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
    if (!this.#partial) await this.#retries.run(signal, () => this.#begin(signal));
    const partial = this.#partial!;
    try {
      await this.#fetchSegments(partial, signal);
    } catch (error) {
      if (!(error instanceof RangesUnsupported)) throw error;
      await this.#retries.run(signal, () => this.#fetchWhole(partial, signal));
    }
  }

  /** Fetches segments in parallel. The first failure stops all of them. */
  async #fetchSegments(partial: PartialFile, signal: AbortSignal): Promise<void> {
    const segments = missingSegments(partial);
    const failed = new AbortController();
    const all = AbortSignal.any([signal, failed.signal]);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < segments.length) await this.#fetchSegment(partial, segments[next++]!, all);
    };
    const workers = Array.from({ length: this.#parallel }, () =>
      work().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
    const settled = await Promise.allSettled(workers);
    signal.throwIfAborted();
    if (settled.some(({ status }) => status === "rejected")) throw failed.signal.reason;
  }

  /** Requests the first chunk, which gives the size of the file, and reserves space for the file. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { url } = this.#retries;
    const { path, bytes: expected } = this.#file;
    const answer = await requestRange({ url, path, range: { from: 0, to: CHUNK_BYTES }, expected: {} }, signal);
    const unmeasured =
      !answer.partial && answer.size === undefined
        ? await wholeBody(this.#body(answer.response, signal), path)
        : undefined;
    const size = unmeasured?.length ?? answer.size!;
    if (expected !== undefined && size !== expected) {
      discardBody(answer.response);
      const message = `${path} has ${size} bytes at ${url}; its manifest says ${expected}.`;
      throw new KleinbildError("damaged", message, { path, bytes: size, expected });
    }
    this.#validators = { [url]: answer.validator };
    this.#partial = await PartialFile.begin(this.#backend, this.#id, path, {
      bytes: size,
      validators: this.#validators,
    });
    const partial = this.#partial;
    if (unmeasured) await this.#receiver.store(partial, unmeasured);
    else if (size > 0) {
      const end = answer.partial ? Math.min(size, CHUNK_BYTES) : size;
      await this.#receiver.receive(partial, this.#body(answer.response, signal), new Position(0, end));
    }
  }

  async #fetchSegment(partial: PartialFile, { from, to }: Segment, signal: AbortSignal): Promise<void> {
    const position = new Position(from, to);
    await this.#retries.run(signal, async () => {
      while (position.filled === 0 && position.at < to && partial.has(position.at / CHUNK_BYTES))
        position.at += CHUNK_BYTES;
      if (position.at >= to) return;
      const { url } = this.#retries;
      const range = { from: position.at, to };
      const expected = this.#validators[url] ?? {};
      const answer = await requestRange({ url, path: this.#file.path, range, expected }, signal);
      this.#expectSameVersion(partial, url, answer);
      if (!answer.partial) {
        this.#meter.repeatedBytes += position.filled;
        discardBody(answer.response);
        throw new RangesUnsupported();
      }
      await this.#receiver.receive(partial, this.#body(answer.response, signal), position);
    });
  }

  /** Fetches the whole file. Chunks that are stored already are skipped. */
  async #fetchWhole(partial: PartialFile, signal: AbortSignal): Promise<void> {
    const { url } = this.#retries;
    const answer = await requestRange({ url, path: this.#file.path, expected: {} }, signal);
    this.#expectSameVersion(partial, url, answer);
    const position = new Position(0, partial.bytes);
    try {
      await this.#receiver.receive(partial, this.#body(answer.response, signal), position);
    } finally {
      this.#meter.repeatedBytes += position.filled; // an incomplete chunk is transferred again
    }
  }

  #expectSameVersion(partial: PartialFile, url: string, answer: RangeAnswer): void {
    const known = this.#validators[url];
    const isOther = known ? differs(known, answer.validator) : false;
    if (isOther || (answer.size !== undefined && answer.size !== partial.bytes)) {
      discardBody(answer.response);
      throw new Changed();
    }
    this.#validators[url] = answer.validator;
  }

  /** Verifies the hash of the whole file, unless each chunk was verified. */
  async #verifyWhole(): Promise<void> {
    const { path, sha256: expected, chunks } = this.#file;
    if (expected === undefined || chunks?.bytes === CHUNK_BYTES) return;
    const hash = incrementalSha256.create();
    for (let chunk = 0; chunk < this.#partial!.chunks; chunk++) hash.update(await this.#partial!.read(chunk));
    if (bytesToHex(hash.digest()) !== expected) throw damagedAtServer(path, "it does");
  }

  async *#body(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const bytes of bodyOf(response, this.#file.path, this.#stallMs, signal)) {
      this.#meter.wireBytes += bytes.length;
      yield bytes;
    }
  }

  /** Drops what was downloaded. Its bytes count as repeated. */
  async #forget(): Promise<void> {
    this.#meter.repeatedBytes += this.#partial?.storedBytes ?? 0;
    await this.#partial?.close();
    this.#partial = undefined;
    this.#validators = {};
    await PartialFile.remove(this.#backend, this.#id, this.#file.path);
  }
}

/** Runs of missing chunks, at most `CHUNKS_PER_REQUEST` each. */
function missingSegments(partial: PartialFile): Segment[] {
  const segments: Segment[] = [];
  for (let chunk = 0; chunk < partial.chunks;) {
    const first = chunk;
    while (chunk < partial.chunks && !partial.has(chunk) && chunk - first < CHUNKS_PER_REQUEST) chunk++;
    if (chunk > first) segments.push({ from: first * CHUNK_BYTES, to: Math.min(chunk * CHUNK_BYTES, partial.bytes) });
    else chunk++;
  }
  return segments;
}
