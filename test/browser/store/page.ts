import {
  KleinbildError,
  type Models,
  type ModelInput,
  openModels,
  type PrepareOptions,
} from "../../../runtime/index.ts";

/** What tests call in the page, with plain data in and out. */
export interface StorePage {
  download(url: string, options?: PrepareOptions): Promise<DownloadOutcome>;
  /** Begins a download and does not wait for it. */
  begin(url: string): void;
  /** Bytes that the download begun last has stored. */
  storedBytes(): number;
  list(): Promise<readonly { readonly id: string; readonly complete: boolean; readonly bytes: number }[]>;
  verify(id: string): Promise<number>;
  delete(id: string): Promise<void>;
  status(url: string): Promise<string>;
}

type DownloadOutcome =
  | { readonly id: string; readonly complete: boolean; readonly bytes: number }
  | { readonly code: string; readonly details: object };

const models: Models<ModelInput> = openModels();
let stored = 0;

const api: StorePage = {
  async download(url, options = {}) {
    try {
      const { id, complete, bytes } = (await models.download(url, options))!;
      return { id, complete, bytes };
    } catch (error) {
      if (error instanceof KleinbildError) return { code: error.code, details: error.details };
      throw error;
    }
  },
  begin(url) {
    const onProgress = ({ loadedBytes }: { readonly loadedBytes: number }): void => void (stored = loadedBytes);
    void models.download(url, { onProgress });
  },
  storedBytes: () => stored,
  list: async () => (await models.list()).map(({ id, complete, bytes }) => ({ id, complete, bytes })),
  verify: async (id) => (await models.verify(id)).length,
  delete: (id) => models.delete(id),
  status: async (url) => (await models.availability(url, { request: { width: 64, height: 64 } })).status,
};

Object.assign(globalThis, { kleinbildPage: api });
