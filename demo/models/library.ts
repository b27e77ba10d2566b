import {
  type Damage,
  KleinbildError,
  type ModelInput,
  type Models,
  openModels,
  type StorageReport,
  type StoredModel,
} from "../../runtime/index.ts";
import { Observable } from "../state/observable.ts";
import { forgetRequest } from "./model-request.ts";

/** A model of the store, with the originals of parts that are being repacked. */
export interface Entry extends StoredModel {
  readonly originals: readonly string[];
}

export type Verification =
  | { readonly status: "running" }
  | { readonly status: "done"; readonly damages: readonly Damage[] }
  | { readonly status: "failed"; readonly error: unknown };

/** The models that this device keeps. Its worker starts when it is first asked for something. */
export class Library extends Observable {
  readonly #open: () => Models<ModelInput>;
  #models: Models<ModelInput> | undefined;
  #entries: readonly Entry[] | undefined;
  #storage: StorageReport | undefined;
  #problem: unknown;
  #verifications: ReadonlyMap<string, Verification> = new Map();

  constructor(open: () => Models<ModelInput> = openModels) {
    super();
    this.#open = open;
  }

  get models(): Models<ModelInput> {
    return (this.#models ??= this.#open());
  }

  /** Last used first; undefined until they are known. */
  get entries(): readonly Entry[] | undefined {
    return this.#entries;
  }

  /** Undefined where nothing can be kept, or as long as it is not known. */
  get storage(): StorageReport | undefined {
    return this.#storage;
  }

  /** Why the store cannot be read, or what could not be done in it. */
  get problem(): unknown {
    return this.#problem;
  }

  verification(id: string): Verification | undefined {
    return this.#verifications.get(id);
  }

  async refresh(): Promise<void> {
    await this.#attempt(async () => {
      this.#entries = grouped(await this.models.list());
      this.#storage = await this.models.storage();
    });
  }

  async verify({ id, originals }: Entry): Promise<void> {
    this.#verified(id, { status: "running" });
    try {
      const damages: Damage[] = [];
      for (const each of [id, ...originals]) damages.push(...(await this.models.verify(each)));
      this.#verified(id, { status: "done", damages });
    } catch (error) {
      this.#verified(id, { status: "failed", error });
    }
    await this.refresh();
  }

  async remove({ id, originals }: Entry): Promise<void> {
    await this.#attempt(async () => {
      for (const each of [...originals, id]) await this.models.delete(each);
      forgetRequest(id);
    });
    this.#verifications = new Map([...this.#verifications].filter(([other]) => other !== id));
    if (this.#problem === undefined) await this.refresh();
  }

  /** Asks the browser not to clear what is kept; it may ask the user, or decide by itself. @returns what it said */
  async persist(): Promise<boolean> {
    const isGranted = await navigator.storage.persist();
    await this.refresh();
    return isGranted;
  }

  /** Ends its worker; what is asked for later starts another one. */
  close(): void {
    void this.#models?.dispose();
    this.#models = undefined;
    this.#verifications = new Map([...this.#verifications].filter(([, { status }]) => status !== "running"));
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error;
      if (error instanceof KleinbildError && error.code === "worker-died") this.close(); // the next try gets another one
    }
    this.changed();
  }

  #verified(id: string, verification: Verification): void {
    this.#verifications = new Map([...this.#verifications, [id, verification]]);
    this.changed();
  }
}

/** Originals on their way have the id of what is made from them, and a dot. */
function grouped(models: readonly StoredModel[]): readonly Entry[] {
  const ownerOf = ({ id }: StoredModel): StoredModel | undefined =>
    models.find((other) => !other.complete && id.startsWith(`${other.id}.`));
  return models
    .filter((model) => !ownerOf(model))
    .map((model) => {
      const originals = models.filter((other) => ownerOf(other) === model);
      return {
        ...model,
        bytes: [model, ...originals].reduce((sum, { bytes }) => sum + bytes, 0),
        originals: originals.map(({ id }) => id),
      };
    });
}
