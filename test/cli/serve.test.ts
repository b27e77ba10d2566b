import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inSharp, solidImage } from "../support/images.ts";
import { type Sdk, withSdk } from "../support/sdk.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KEY = "key-for-tests";
const REQUEST = {
  positivePrompt: "a fox on a teal background",
  model: "runware:400@4",
  width: 128,
  height: 128,
  steps: 1,
} as const;

let child: ChildProcess;
let url = "";

beforeAll(async () => {
  child = start();
  url = await listening(child);
});
afterAll(async () => {
  const ended = once(child, "exit");
  child.kill(); // SIGKILL would leave the server, which is the child of this one
  await ended;
});

function start(): ChildProcess {
  const args = ["tools/start.mjs", "--serve", "--port", "0", "--dtype", "f32"];
  const env = { ...process.env, KLEINBILD_API_KEY: KEY };
  return spawn(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "inherit", "pipe"] });
}

/** The address that the server says it listens on. */
async function listening({ stderr }: ChildProcess): Promise<string> {
  let said = "";
  for await (const chunk of stderr!) {
    said += String(chunk);
    const found = /Listening on (\S+)/.exec(said);
    if (found) return found[1]!;
  }
  throw new Error(`The server ended: ${said}`);
}

function connected<T>(run: (sdk: Sdk) => Promise<T>, timeoutDuration = 600_000): Promise<T> {
  return withSdk(url, run, { apiKey: KEY, timeoutDuration });
}

async function solidPng(red: number, green: number, blue: number): Promise<string> {
  const bytes = await inSharp(solidImage(128, 128, [red, green, blue, 255]))
    .png()
    .toBuffer();
  return `data:image/png;base64,${bytes.toString("base64")}`;
}

/** Width, height and format of an encoded picture. */
async function describePicture(bytes: ArrayBuffer | Buffer): Promise<string> {
  const { format, width, height } = await sharp(Buffer.from(bytes as ArrayBuffer)).metadata();
  return `${format} ${width} x ${height}`;
}

describe("npm start -- --serve", () => {
  it("makes a picture from text, serves it, and names the model that it used instead", async () => {
    const images = await connected((sdk) => sdk.requestImages({ ...REQUEST, seed: 7 }));
    expect(images).toHaveLength(1);
    const { imageURL, seed, warnings } = images![0]! as (typeof images & object)[number] & { warnings?: string[] };
    expect(seed).toBe(7);
    expect(warnings?.join(" ")).toMatch(/klein-nano/);
    expect(imageURL).toMatch(new RegExp(`^${url}/media/[\\da-f-]{36}\\.jpg$`));
    const response = await fetch(imageURL!);
    expect(response.headers.get("content-type")).toBe("image/jpeg");
    expect(await describePicture(await response.arrayBuffer())).toBe("jpeg 128 x 128");
  });

  it("edits with two references, a data URI and the UUID of an upload", async () => {
    const [red, blue] = [await solidPng(200, 30, 30), await solidPng(30, 30, 200)];
    await connected(async (sdk) => {
      const { imageUUID } = await sdk.imageUpload({ image: blue });
      const inputs = { referenceImages: [red, imageUUID] };
      const asked = { ...REQUEST, inputs, outputType: "base64Data", outputFormat: "PNG" } as const;
      const [image] = (await sdk.requestImages(asked))!;
      expect(await describePicture(Buffer.from(image!.imageBase64Data!, "base64"))).toBe("png 128 x 128");
    });
  });

  it("gives four results one by one, each of its own seed", async () => {
    const seeds: number[] = [];
    await connected((sdk) =>
      sdk.requestImages({
        ...REQUEST,
        seed: 100,
        numberResults: 4,
        onPartialImages: (partial) => {
          expect(partial).toHaveLength(1);
          seeds.push(partial[0]!.seed);
        },
      }),
    );
    expect(seeds).toEqual([100, 101, 102, 103]);
  });

  it("rejects an invalid request with an error object", async () => {
    const asked = { ...REQUEST, width: 1000 };
    await expect(connected((sdk) => sdk.requestImages(asked))).rejects.toMatchObject({
      error: { code: "invalidWidth", parameter: "width", type: "integer", min: 128, max: 2048 },
    });
  });

  it("gives the results of an asynchronous task when it is asked for them", async () => {
    const taskUUID = crypto.randomUUID();
    await connected(async (sdk) => {
      const asked = {
        ...REQUEST,
        taskUUID,
        deliveryMethod: "async",
        outputType: "dataURI",
        outputFormat: "WEBP",
      } as const;
      expect(await sdk.requestImages(asked)).toEqual([{ taskType: "imageInference", taskUUID }]);
      interface Result {
        readonly status: string;
        readonly imageDataURI?: string;
      }
      let results: readonly Result[] = [];
      while (results[0]?.status !== "success") results = await sdk.getResponse<Result>({ taskUUID });
      expect(results[0].imageDataURI).toMatch(/^data:image\/webp;base64,/);
    });
  });

  it("aborts a request whose client goes away, and answers the next", async () => {
    await connected(async (sdk) => {
      const begun = new Promise<void>((resolve) => {
        const asked = { ...REQUEST, numberResults: 20, retry: 1, onPartialImages: () => resolve() };
        sdk.requestImages(asked).catch(() => {}); // it goes on waiting for its time-out
      });
      await begun;
    }, 600_000);
    expect(await connected((sdk) => sdk.requestImages(REQUEST))).toHaveLength(1);
  });

  it("gets an error for a wrong key", async () => {
    const asking = withSdk(url, (sdk) => sdk.requestImages(REQUEST), { apiKey: "wrong" });
    await expect(asking).rejects.toMatchObject({ error: { code: "invalidApiKey" } });
  });

  it("ends with status 0 on a signal", async () => {
    const own = start();
    await listening(own);
    const exit = once(own, "exit");
    own.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  });
});
