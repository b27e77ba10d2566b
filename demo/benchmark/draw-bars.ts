import { CategoryScale, Chart, type ChartOptions, LinearScale, LogarithmicScale, Tooltip } from "chart.js";
import { BarWithErrorBar, BarWithErrorBarsController } from "chartjs-chart-error-bars";
import { figureText } from "../../bench/index.ts";
import type { BarChart, BarSeries } from "./bar-charts.ts";
import { BAR, LABEL, slotOf } from "./measures.ts";

Chart.register(BarWithErrorBarsController, BarWithErrorBar, CategoryScale, LinearScale, LogarithmicScale, Tooltip);

/** The theme's colours as a canvas takes them. */
export interface ChartColours {
  /** Of the series, in order. */
  readonly series: readonly string[];
  readonly text: string;
  readonly soft: string;
  readonly line: string;
  readonly ground: string;
}

/** Of the category at the same place. */
interface Point {
  /** NaN where there is none. */
  readonly x: number;
  readonly xMin?: number;
  readonly xMax?: number;
}

export type DrawnChart = Chart<"barWithErrorBars", Point[], string>;

const FONT_SIZE = 12;
const POINTS_OF_AXIS = 6;
/** After the point. */
const MOST_DIGITS = 6;

/** Draws into a canvas whose parent has the size. */
export function drawBars(canvas: HTMLCanvasElement, chart: BarChart, colours: ChartColours, font: string): DrawnChart {
  return new Chart(canvas, {
    type: "barWithErrorBars",
    data: { labels: [...chart.categories], datasets: datasetsOf(chart, colours) },
    options: optionsOf(chart, colours, font),
  });
}

export function redrawBars(drawn: DrawnChart, chart: BarChart, colours: ChartColours, font: string): void {
  drawn.data.labels = [...chart.categories];
  drawn.data.datasets = datasetsOf(chart, colours);
  drawn.options = optionsOf(chart, colours, font);
  drawn.update();
}

function datasetsOf(chart: BarChart, colours: ChartColours): DrawnChart["data"]["datasets"] {
  return chart.series.map((series, i) => ({
    label: series.name,
    data: pointsOf(series),
    backgroundColor: colours.series[i]!,
    hoverBackgroundColor: colours.series[i]!,
    errorBarColor: colours.text,
    errorBarWhiskerColor: colours.text,
    errorBarLineWidth: 1,
    errorBarWhiskerLineWidth: 1,
    errorBarWhiskerRatio: 0.6,
    barPercentage: 0.8,
    categoryPercentage: (BAR * chart.series.length) / slotOf(chart),
  }));
}

function pointsOf({ bars }: BarSeries): Point[] {
  return bars.map((bar) => ({
    x: bar?.value ?? Number.NaN,
    ...(bar?.spread && { xMin: bar.spread[0], xMax: bar.spread[1] }),
  }));
}

function optionsOf(chart: BarChart, colours: ChartColours, family: string): ChartOptions<"barWithErrorBars"> {
  const font = { family, size: FONT_SIZE };
  return {
    indexAxis: "y",
    maintainAspectRatio: false,
    locale: "en",
    animation: false, // the frames would be measured as well
    scales: {
      x: {
        type: chart.logarithmic ? "logarithmic" : "linear",
        beginAtZero: true,
        border: { display: false },
        grid: { color: colours.line, drawTicks: false },
        ticks: {
          color: colours.soft,
          font,
          format: { minimumFractionDigits: 0, maximumFractionDigits: MOST_DIGITS },
          maxTicksLimit: POINTS_OF_AXIS,
          maxRotation: 0,
          padding: 4,
        },
        title: { display: true, text: axisTitle(chart), color: colours.soft, font, padding: 0 },
      },
      y: {
        border: { color: colours.line },
        grid: { display: false, tickLength: 0 },
        // names stand above their bars, which leaves these the whole width
        ticks: {
          mirror: true,
          autoSkip: false,
          padding: 0,
          z: 1,
          labelOffset: -(BAR * chart.series.length + LABEL) / 2,
          color: colours.text,
          font,
        },
      },
    },
    plugins: {
      tooltip: {
        backgroundColor: colours.ground,
        titleColor: colours.text,
        bodyColor: colours.text,
        borderColor: colours.line,
        borderWidth: 1,
        titleFont: font,
        bodyFont: font,
        callbacks: {
          label: ({ dataset, dataIndex, datasetIndex }) => {
            const bar = chart.series[datasetIndex]?.bars[dataIndex];
            return bar && ` ${dataset.label}: ${figureText({ ...bar, unit: chart.unit })} ${chart.unit}`;
          },
        },
      },
    },
  };
}

function axisTitle({ unit, logarithmic }: BarChart): string {
  return logarithmic ? `${unit}, logarithmic` : unit;
}
