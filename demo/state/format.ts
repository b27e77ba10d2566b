const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const date = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const UNITS = ["bytes", "KiB", "MiB", "GiB"] as const;
const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60 * MS_PER_SECOND;
const MS_PER_HOUR = 60 * MS_PER_MINUTE;
/** From here on minutes are near enough, and then hours. */
const MINUTES_FROM_MS = 100 * MS_PER_SECOND;
const HOURS_FROM_MS = 100 * MS_PER_MINUTE;

export function formatBytes(bytes: number): string {
  const unit = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${number.format(bytes / 2 ** (10 * unit))} ${UNITS[unit]}`;
}

export function formatTime(milliseconds: number): string {
  return milliseconds < MS_PER_SECOND
    ? `${Math.round(milliseconds)} ms`
    : `${number.format(milliseconds / MS_PER_SECOND)} s`;
}

/** As in “about 3 min left”. */
export function timeLeft(milliseconds: number): string {
  if (milliseconds < MS_PER_SECOND) return "less than 1 s left";
  if (milliseconds < MINUTES_FROM_MS) return `about ${Math.round(milliseconds / MS_PER_SECOND)} s left`;
  if (milliseconds < HOURS_FROM_MS) return `about ${Math.round(milliseconds / MS_PER_MINUTE)} min left`;
  return `about ${number.format(milliseconds / MS_PER_HOUR)} h left`;
}

/** @param time  ISO 8601, or milliseconds since 1970 */
export function formatDate(time: string | number): string {
  return date.format(new Date(time));
}
