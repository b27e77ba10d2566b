import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LAVAPIPE = "/usr/share/vulkan/icd.d/lvp_icd.json";
const SHADER_CACHES = fileURLToPath(new URL("../.cache/mesa-shaders/", import.meta.url));

/**
 * What the Vulkan loader needs in its environment: a runtime folder and, where there is no GPU, Mesa's software driver by
 * name (the others would look for hardware and complain) with a cache for the shaders that it compiles. What is set already
 * stays.
 *
 * @returns {Record<string, string>}
 */
export function vulkanEnvironment() {
  /** @type {Record<string, string>} */
  const environment = {};
  if (process.platform !== "linux") return environment;
  if (!process.env["XDG_RUNTIME_DIR"]) {
    environment["XDG_RUNTIME_DIR"] = join(tmpdir(), `kleinbild-runtime-${process.getuid?.() ?? 0}`);
    mkdirSync(environment["XDG_RUNTIME_DIR"], { recursive: true, mode: 0o700 });
  }
  const hasGpu = existsSync("/dev/dri/renderD128") || existsSync("/dev/nvidia0");
  if (hasGpu || !existsSync(LAVAPIPE)) return environment;
  if (!process.env["VK_ICD_FILENAMES"]) environment["VK_ICD_FILENAMES"] = LAVAPIPE;
  if (!process.env["MESA_SHADER_CACHE_DIR"]) environment["MESA_SHADER_CACHE_DIR"] = shaderCache();
  return environment;
}

/**
 * Chromium's software driver for Vulkan in place of Mesa's: without f16, with subgroups of four.
 *
 * @returns {Record<string, string>}
 */
export function swiftShaderEnvironment() {
  return { VK_ICD_FILENAMES: SWIFTSHADER };
}

/**
 * The folder for what lavapipe compiles, which takes it much longer than running it; that of another version is deleted. Mesa
 * finds a shader by a hash of its code, so after a change of a kernel only that kernel is compiled again.
 */
function shaderCache() {
  const { mtimeMs } = statSync(LAVAPIPE);
  const version = createHash("sha256")
    .update(readFileSync(LAVAPIPE))
    .update(String(mtimeMs))
    .digest("hex")
    .slice(0, 16);
  mkdirSync(join(SHADER_CACHES, version), { recursive: true });
  for (const other of readdirSync(SHADER_CACHES))
    if (other !== version) rmSync(join(SHADER_CACHES, other), { recursive: true, force: true });
  return join(SHADER_CACHES, version);
}
