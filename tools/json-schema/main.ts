import { writeFileSync } from "node:fs";
import { imageInferenceJsonSchema } from "./image-inference.ts";

// from .cache/, where programs are bundled to
writeFileSync(new URL("../../schema/image-inference.json", import.meta.url), imageInferenceJsonSchema());
