import type { PartialFile } from "../partial-file.ts";
import { CHUNK_BYTES } from "../stored-model.ts";

/** Chunks that one request asks for. */
const CHUNKS_PER_REQUEST = 8;

/** Where the bytes of a request go: the next one, and the chunk that it is part of. */
export class Position {
  at: number;
  readonly to: number;
  readonly chunk = new Uint8Array(CHUNK_BYTES);
  /** Bytes of the chunk that are there. */
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

/** Bytes that one request asks for. */
export interface Segment {
  readonly from: number;
  readonly to: number;
}

/** Runs of missing chunks. */
export function missingSegments(partial: PartialFile): Segment[] {
  const segments: Segment[] = [];
  for (let chunk = 0; chunk < partial.chunks;) {
    const first = chunk;
    while (chunk < partial.chunks && !partial.has(chunk) && chunk - first < CHUNKS_PER_REQUEST) chunk++;
    if (chunk > first) segments.push({ from: first * CHUNK_BYTES, to: Math.min(chunk * CHUNK_BYTES, partial.bytes) });
    else chunk++;
  }
  return segments;
}
