"use client";

import type { GenerateRequest, Kleinbild } from "kleinbild";
import { type FormEvent, useEffect, useRef, useState } from "react";

interface Progress {
  readonly text: string;
  readonly share: number;
}
interface Picture {
  readonly url: string;
  readonly alt: string;
}

export function Studio() {
  const [progress, setProgress] = useState<Progress>({ text: "Looking at the GPU", share: 0 });
  const [supported, setSupported] = useState(false);
  const [running, setRunning] = useState(false);
  const [picture, setPicture] = useState<Picture>();
  const engine = useRef<Kleinbild>(undefined);
  const abort = useRef<AbortController>(undefined);

  // imported in the browser only: a page that is rendered on the server has no worker to start
  useEffect(() => {
    void import("kleinbild")
      .then(({ checkSupport }) => checkSupport())
      .then((support) => {
        setSupported(support.supported);
        setProgress({ text: support.supported ? "Ready" : support.reason, share: 0 });
      });
    return () => {
      abort.current?.abort();
      void engine.current?.dispose();
      engine.current = undefined;
    };
  }, []);
  useEffect(
    () => () => {
      if (picture) URL.revokeObjectURL(picture.url);
    },
    [picture],
  );

  /** Loads the model at the first request, and keeps it for the next. */
  async function openEngine(signal: AbortSignal): Promise<Kleinbild> {
    const { createKleinbild } = await import("kleinbild");
    engine.current ??= await createKleinbild({
      signal,
      onProgress: ({ loadedBytes, totalBytes }) =>
        setProgress({ text: "Loading the model", share: loadedBytes / totalBytes }),
    });
    return engine.current;
  }

  async function makePicture(request: GenerateRequest, signal: AbortSignal): Promise<void> {
    const generation = (await openEngine(signal)).generate(request, { signal });
    for await (const event of generation)
      if (event.type === "step")
        setProgress({ text: `Step ${event.step} of ${event.steps}`, share: event.step / event.steps });
    const { image, report } = await generation.result;
    setPicture({ url: URL.createObjectURL(await image.toBlob()), alt: request.prompt });
    setProgress({ text: `Done, seed ${report.seed}`, share: 1 });
  }

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const request = readRequest(new FormData(event.currentTarget));
    const { signal } = (abort.current = new AbortController());
    setRunning(true);
    try {
      await makePicture(request, signal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      setProgress({ text: signal.aborted ? "Cancelled" : `No picture: ${reason}`, share: 0 });
    } finally {
      setRunning(false);
    }
  }

  return (
    <>
      <form onSubmit={submit}>
        <p>
          <label>
            Prompt <input name="prompt" size={40} defaultValue="a fox on a teal background" />
          </label>
        </p>
        <p>
          <label>
            References <input name="references" type="file" accept="image/*" multiple />
          </label>
        </p>
        <p>
          <label>
            Size{" "}
            <select name="size" defaultValue="128">
              <option>64</option>
              <option>128</option>
            </select>
          </label>{" "}
          <label>
            Steps <input name="steps" type="number" min="1" max="50" defaultValue="4" />
          </label>
        </p>
        <p>
          <button disabled={!supported || running}>Generate</button>{" "}
          <button type="button" disabled={!running} onClick={() => abort.current?.abort()}>
            Cancel
          </button>
        </p>
      </form>
      <p>
        <span id="status" role="status">
          {progress.text}
        </span>{" "}
        <progress aria-labelledby="status" value={progress.share} />
      </p>
      {picture && <img src={picture.url} alt={picture.alt} />}
    </>
  );
}

function readRequest(fields: FormData): GenerateRequest {
  const size = Number(fields.get("size"));
  return {
    prompt: fields.get("prompt") as string,
    // a file input without a choice gives one empty file
    references: fields.getAll("references").filter((file): file is File => file instanceof File && file.size > 0),
    width: size,
    height: size,
    steps: Number(fields.get("steps")),
  };
}
