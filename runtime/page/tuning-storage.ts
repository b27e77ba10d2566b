import { createStore, get, set } from "idb-keyval";
import type { TuningStorage } from "../autotune/tuning-cache.ts";

/** Stores what autotune measured in the page's IndexedDB. */
export function openPageTuningStorage(): TuningStorage {
  const store = (): ReturnType<typeof createStore> => createStore("kleinbild", "memory");
  return {
    get: (key) => get<string>(key, store()),
    set: (key, value) => set(key, value, store()),
  };
}
