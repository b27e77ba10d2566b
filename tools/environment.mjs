import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LAVAPIPE = "/usr/share/vulkan/icd.d/lvp_icd.json";

/**
 * What the Vulkan loader needs in its environment: a runtime folder and, where there is no GPU, Mesa's software driver by
 * name (the others would look for hardware and complain). What is set already stays.
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
  if (!process.env["VK_ICD_FILENAMES"] && !hasGpu && existsSync(LAVAPIPE)) environment["VK_ICD_FILENAMES"] = LAVAPIPE;
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
