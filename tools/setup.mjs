import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Installs what the project's commands need: npm packages and, for tests and pictures without a GPU, two browsers and
 * Mesa's software Vulkan driver. If it may not install something, it says what is missing.
 *
 * It uses only Node, because it runs before anything is installed. It prints to standard error only.
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MIN_NODE = [20, 19];

/**
 * @typedef {object} SystemPackage
 * @property {string} name          Debian's name
 * @property {number} minimum       least major version
 * @property {string} purpose
 * @property {boolean} [backports]  whether Debian 12 has the minimum version in its backports only
 */

/** @type {readonly SystemPackage[]} */
const PACKAGES = [
  { name: "libvulkan1", minimum: 1, purpose: "the Vulkan loader, for WebGPU in Node" },
  { name: "mesa-vulkan-drivers", minimum: 24, purpose: "the software GPU (lavapipe)", backports: true },
  { name: "chromium", minimum: 140, purpose: "browser tests" },
  { name: "firefox-esr", minimum: 153, purpose: "browser tests" },
];

/** Installs what is missing. Ends the process when the project cannot run at all. */
export function setUp() {
  requireNode();
  installNpmPackages();
  installSystemPackages();
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = MIN_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  fail(`Node ${MIN_NODE.join(".")} or later is needed; this is ${process.versions.node}.`);
}

/** Installs the versions in the lock file, unless a stamp shows that they are installed. */
function installNpmPackages() {
  const lock = readFileSync(`${ROOT}package-lock.json`);
  const stamp = `${createHash("sha256").update(lock).digest("hex")} ${process.platform} ${process.arch}\n`;
  const stampFile = `${ROOT}node_modules/.kleinbild-stamp`;
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  say("installing npm packages");
  // no package needs its install script: binaries are inside the packages
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  if (!run(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])) fail("npm ci failed; see above.");
  writeFileSync(stampFile, stamp);
}

function installSystemPackages() {
  if (process.platform !== "linux") return; // macOS and Windows have WebGPU drivers and browsers
  const missing = missingPackages();
  if (missing.length === 0) return;
  const names = missing.map(({ name, minimum, purpose }) => `  ${name} ${minimum} or later: ${purpose}`).join("\n");
  const debian = readOsRelease();
  if (debian["ID"] !== "debian" || process.getuid?.() !== 0) {
    const why =
      debian["ID"] === "debian" ? "Installing them needs root" : "They are installed automatically on Debian only";
    say(`missing system packages:\n${names}\n${why}. Continuing without them.`);
    return;
  }
  say(`installing system packages: ${missing.map(({ name }) => name).join(", ")}`);
  const codename = debian["VERSION_CODENAME"] ?? "";
  const recent = missing.filter(({ backports }) => backports && codename === "bookworm");
  const plain = missing.filter((wanted) => !recent.includes(wanted));
  const ran =
    run("apt-get", ["update", "-q"]) &&
    install(plain, []) &&
    (recent.length === 0 || (addBackports(codename) && install(recent, ["-t", `${codename}-backports`])));
  const left = missingPackages().map(({ name }) => name);
  if (!ran || left.length > 0) say(`not installed: ${left.join(", ")}. Continuing without them.`);
}

/**
 * @param {readonly SystemPackage[]} packages
 * @param {readonly string[]} options
 */
function install(packages, options) {
  const names = packages.map(({ name }) => name);
  const quiet = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
  return names.length === 0 || run("apt-get", ["install", ...quiet, ...options, ...names]);
}

/** Packages that are absent or too old. */
function missingPackages() {
  const names = PACKAGES.map(({ name }) => name);
  const query = spawnSync("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", ...names], {
    encoding: "utf8",
  });
  if (query.error) return PACKAGES.filter(({ name }) => !existsSync(`/usr/bin/${name}`)); // not a Debian system
  const installed = new Map(
    query.stdout
      .split("\n")
      .map((line) => line.split(" "))
      .filter(([, status]) => status === "installed")
      .map(([name, , version]) => [name, majorVersion(version ?? "")]),
  );
  return PACKAGES.filter(({ name, minimum }) => (installed.get(name) ?? -1) < minimum);
}

/**
 * The first number of a Debian version, behind its epoch.
 * @param {string} version
 */
function majorVersion(version) {
  return Number(/^(?:\d+:)?(\d+)/.exec(version)?.[1] ?? 0);
}

/**
 * Adds the backports of this release from the mirror that the machine already uses. Call it after an update.
 * @param {string} codename
 */
function addBackports(codename) {
  const format = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(SIGNED_BY)";
  const query = spawnSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
  });
  const sources = query.stdout.split("\n").map((line) => line.split(" "));
  if (sources.some(([, name]) => name === `${codename}-backports`)) return true;
  const main = sources.find(([, name, component]) => name === codename && component === "main");
  if (!main) {
    say(`apt knows no source of ${codename} main, so its backports could not be added`);
    return false;
  }
  const [uri, , , signedBy] = main;
  // apt leaves the placeholder if a source has no such field
  const option = signedBy?.startsWith("/") ? `[signed-by=${signedBy}] ` : "";
  const file = "/etc/apt/sources.list.d/kleinbild-backports.list";
  writeFileSync(file, `deb ${option}${uri} ${codename}-backports main\n`);
  return run("apt-get", ["update", "-q"]);
}

/** @returns {Record<string, string>} */
function readOsRelease() {
  if (!existsSync("/etc/os-release")) return {};
  const lines = readFileSync("/etc/os-release", "utf8").split("\n");
  return Object.fromEntries(lines.map((line) => /^(\w+)="?(.*?)"?$/.exec(line)?.slice(1) ?? ["", ""]));
}

/**
 * Runs a command with its output on standard error.
 * @param {string} command
 * @param {readonly string[]} args
 */
function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
    env,
    shell: process.platform === "win32",
  });
  if (error) say(`${command}: ${error.message}`);
  return status === 0;
}

/** @param {string} message */
function say(message) {
  process.stderr.write(`set-up: ${message}\n`);
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  say(message);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp(); // npm run setup
