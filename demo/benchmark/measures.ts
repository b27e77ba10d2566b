import type { BarChart } from "./bar-charts.ts";

/** Pixels of a chart: a bar, the text above a category's bars, the space between categories, and the axis below. */
export const BAR = 14;
export const LABEL = 20;
const SPACE = 10;
const AXIS = 46;

/** Pixels from one category to the next. */
export function slotOf({ series }: BarChart): number {
  return LABEL + SPACE + BAR * series.length;
}

/** Pixels, known before anything is drawn, so that the page can keep the room. */
export function heightOf(chart: BarChart): number {
  return AXIS + chart.categories.length * slotOf(chart);
}
