import * as v from "valibot";
import { KleinbildError } from "../../errors.ts";

/** The metadata entry that diffusers writes PEFT's configuration to, as JSON. */
const METADATA_KEY = "lora_adapter_metadata";
const PREFIX = "transformer.";
const ALPHA_NAME = /^\^?[\w.-]+$/;

const alpha = v.pipe(v.number(), v.finite());
const Config = v.object({
  lora_alpha: v.nullish(alpha),
  alpha_pattern: v.nullish(v.record(v.string(), alpha)),
  use_rslora: v.nullish(v.boolean()),
  use_dora: v.nullish(v.boolean()),
});

/** PEFT's configuration, as far as it is needed. */
export interface AdapterMetadata {
  /**
   * Alpha of a module that has no alpha tensor.
   * @param module  its name in the file
   */
  alpha(module: string): number | undefined;
  /** Whether the scale is alpha / √rank instead of alpha / rank. */
  readonly rankStabilised: boolean;
}

/**
 * Reads PEFT's configuration from the metadata of a file.
 *
 * @throws KleinbildError `invalid-model` when it is malformed, `unsupported` for DoRA and for patterns that are not names
 */
export function readAdapterMetadata(metadata: ReadonlyMap<string, string>, path: string): AdapterMetadata {
  const text = metadata.get(METADATA_KEY);
  if (text === undefined) return { alpha: () => undefined, rankStabilised: false };
  const { lora_alpha, alpha_pattern, use_rslora, use_dora } = parse(text, path);
  if (use_dora === true)
    throw new KleinbildError(
      "unsupported",
      `${path} is a DoRA according to its ${METADATA_KEY}; only LoRAs are supported.`,
      {
        path,
      },
    );
  // PEFT treats names as regular expressions, but an untrusted file must not supply any
  for (const name of Object.keys(alpha_pattern ?? {}))
    if (!ALPHA_NAME.test(name))
      throw new KleinbildError(
        "unsupported",
        `${path}: the alpha_pattern ${name} must be the name of a module; regular expressions are not supported.`,
        {
          path,
        },
      );
  const patterns = new Map(
    Object.entries(alpha_pattern ?? {}).map(([name, value]) => [name.replace(/^\^/, ""), value]),
  );
  const alphaOf = (module: string): number | undefined => {
    for (let suffix = module; ;) {
      const own = patterns.get(suffix);
      if (own !== undefined) return own;
      const dot = suffix.indexOf(".");
      if (dot < 0) return lora_alpha ?? undefined;
      suffix = suffix.slice(dot + 1);
    }
  };
  return { alpha: alphaOf, rankStabilised: use_rslora === true };
}

function parse(text: string, path: string): v.InferOutput<typeof Config> {
  const invalid = (message: string, cause?: unknown): KleinbildError =>
    new KleinbildError("invalid-model", `${path}: its ${METADATA_KEY} ${message}.`, { path }, { cause });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid("is not JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw invalid("is not an object");
  const own = Object.entries(json).map(([key, value]) => [
    key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key,
    value,
  ]);
  const config = v.safeParse(Config, Object.fromEntries(own));
  if (config.success) return config.output;
  const [issue] = config.issues;
  throw invalid(`has an invalid ${v.getDotPath(issue) ?? "form"}: ${issue.message}`);
}
