import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { TuningStorage } from "../autotune/tuning-cache.ts";

/** Stores what autotune measured in a folder, one file for each key. */
export function openFolderTuningStorage(folder: string): TuningStorage {
  const fileOf = (key: string): string => join(folder, `${bytesToHex(sha256(utf8ToBytes(key))).slice(0, 32)}.json`);
  return {
    get: async (key) => {
      try {
        return await readFile(fileOf(key), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    set: async (key, value) => {
      await mkdir(folder, { recursive: true });
      const file = fileOf(key);
      await writeFile(`${file}.${process.pid}`, value); // two processes may write at once
      await rename(`${file}.${process.pid}`, file);
    },
  };
}
