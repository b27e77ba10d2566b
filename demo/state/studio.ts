import { checkSupport, readMetadata, type Support } from "../../runtime/index.ts";
import { Debounce } from "./debounce.ts";
import type { ModelChoice } from "../studio-types.ts";
import { type ComputeOptions, EngineSession } from "./engine-session.ts";
import { Gallery } from "./gallery.ts";
import { isLoraFile, Loras } from "./loras.ts";
import { Notices } from "./notices.ts";
import { Observable } from "./observable.ts";
import type { Picture } from "./picture.ts";
import { References } from "./references.ts";
import { RunQueue } from "./run-queue.ts";
import { requestOf, Settings } from "./settings.ts";

/** How long typing must rest before the live picture follows. */
const LIVE_REST_MS = 300;

/** All that the studio's components share, and what can be done in it. */
export class Studio extends Observable {
  readonly settings = new Settings();
  readonly references = new References();
  readonly loras = new Loras();
  readonly notices = new Notices();
  readonly session: EngineSession;
  readonly gallery = new Gallery((problem) => this.notices.error(problem));
  readonly queue: RunQueue;
  readonly #live = new Debounce(() => this.#runLive(), LIVE_REST_MS);
  #liveKey = "";
  #support: Support | undefined;
  #shown: Picture | undefined;
  /** Of the page, not of the fields. */
  #compute: Pick<ComputeOptions, "ortWasmUrl"> = {};

  constructor(session = new EngineSession()) {
    super();
    this.session = session;
    this.queue = new RunQueue(session, (picture, { order }) => this.#receive(picture, order.live));
    for (const source of [this.settings, this.references, this.loras])
      source.addEventListener("change", () => this.#followLive());
  }

  /** Whether this browser can run it; undefined until that is known. */
  get support(): Support | undefined {
    return this.#support;
  }

  /** The picture that is looked at; undefined while there is none, or a new one comes. */
  get shown(): Picture | undefined {
    return this.#shown;
  }

  /** Looks at the GPU, reads the gallery and opens the model, unless `signal` is aborted before. */
  async start(choice: ModelChoice, compute: Pick<ComputeOptions, "ortWasmUrl">, signal: AbortSignal): Promise<void> {
    this.#compute = compute;
    void this.gallery.load();
    this.#support = await checkSupport();
    this.changed();
    if (this.#support.supported && !signal.aborted) await this.openModel(choice);
  }

  /** Ends what is under way, and frees the engine; what is asked for later opens it again. */
  async stop(): Promise<void> {
    this.#live.cancel();
    this.queue.cancelAll();
    await this.session.close();
  }

  /** Opens a model with the backend and precision of the settings; says so where it fails. */
  async openModel(choice: ModelChoice): Promise<void> {
    const { backend, dtype } = this.settings.fields;
    if (this.session.info) this.queue.cancel(); // its engine ends; what waits is made by the next one
    try {
      await this.session.open(choice, { ...this.#compute, backend, dtype });
    } catch (error) {
      if (this.session.refusal?.error === error) this.notices.error(error); // else it gave way to another one
    }
  }

  /** Puts what the fields say into the queue. */
  generate(): void {
    this.#shown = undefined;
    this.#order(false);
    this.changed();
  }

  show(picture: Picture): void {
    this.#shown = picture;
    this.changed();
  }

  /** Adds pictures to the references, and says which were not taken. */
  async addReferences(files: readonly Blob[]): Promise<void> {
    for (const problem of await this.references.add(files)) this.notices.error(new Error(problem));
  }

  /** Sets the fields, and the references, as they were for a picture of the gallery. */
  async restore({ metadata, references }: Picture): Promise<void> {
    this.settings.restore(metadata);
    await this.references.replaceAll(references.map(({ name, file }) => new File([file], name, { type: file.type })));
  }

  /**
   * Files dropped on the studio: a picture made here restores its settings, another one becomes a reference, and a
   * safetensors file a LoRA.
   */
  async receive(files: readonly File[]): Promise<void> {
    const loras = files.filter(isLoraFile);
    if (loras.length > 0) this.loras.add(loras);
    const pictures = files.filter((file) => !loras.includes(file));
    const [first] = pictures;
    // what cannot be read, such as a folder, is told by its name below
    const made = pictures.length === 1 && first ? await readMetadata(first).catch(() => undefined) : undefined;
    if (!made || !first) return this.addReferences(pictures);
    this.settings.restore(made);
    this.notices.info(`The settings of ${first.name} are restored.`, {
      label: "Use it as a reference instead",
      run: () => void this.addReferences([first]),
    });
  }

  async remove(picture: Picture): Promise<void> {
    if (this.#shown === picture) this.#shown = undefined;
    const undo = await this.gallery.remove(picture.id);
    this.changed();
    if (!undo) return;
    this.notices.info("The picture was deleted.", { label: "Undo", run: () => void undo() });
  }

  /** Keeps a live picture in the gallery. */
  async keep(picture: Picture): Promise<void> {
    await this.gallery.add(picture);
  }

  #order(live: boolean): void {
    const { fields } = this.settings;
    const snapshot = live ? { ...fields, results: 1 } : fields;
    this.queue.add({
      prompt: fields.prompt.trim(),
      request: (model) => requestOf(snapshot, model),
      references: this.references.list,
      loras: this.loras.list,
      live,
    });
  }

  #followLive(): void {
    const { live, seedLocked } = this.settings.fields;
    if (!live) {
      this.#liveKey = "";
      return this.#live.cancel();
    }
    if (!seedLocked) return this.settings.rollSeed(); // the same noise from picture to picture; comes back here
    const key = JSON.stringify([
      this.settings.fields,
      this.references.list.map(({ id }) => id),
      this.loras.list.map(({ id, weight }) => [id, weight]),
    ]);
    if (key === this.#liveKey) return;
    this.#liveKey = key;
    this.#live.call();
  }

  #runLive(): void {
    for (const { id, order } of this.queue.pending) if (order.live) this.queue.cancel(id);
    this.#shown = undefined;
    this.#order(true);
    this.changed();
  }

  #receive(picture: Picture, live: boolean): void {
    if (!this.settings.fields.seedLocked) this.settings.set({ seed: picture.report.seed });
    this.#shown = picture;
    this.changed();
    if (!live) void this.gallery.add(picture);
  }
}
