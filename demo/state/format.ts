const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const UNITS = ["bytes", "KiB", "MiB", "GiB"] as const;
const MS_PER_SECOND = 1000;

export function formatBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${number.format(bytes / 2 ** (10 * unit))} ${UNITS[unit]}`;
}

export function formatTime(milliseconds: number): string {
  return milliseconds < MS_PER_SECOND
    ? `${Math.round(milliseconds)} ms`
    : `${number.format(milliseconds / MS_PER_SECOND)} s`;
}
