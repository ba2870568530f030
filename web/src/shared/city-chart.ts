/**
 * <city-chart>: a chart (Apache ECharts) and, behind a button, the same numbers as a table with the same links.
 * `show` takes rows; series are columns of them. A click on a mark goes where the row's link goes.
 */
import { BarChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import type { EChartsType } from "echarts/core";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import "./city-chart.css";
import { tone, whenThemeChanges } from "./tones";

use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, SVGRenderer]);

export interface Row {
  name: string;
  link?: string;
  values: (number | null)[];
}

export interface Series {
  name: string;
  kind: "bar" | "line";
  colour: string; // a name of the style sheet
  stack?: string;
  percent?: boolean; // drawn against the right axis, from 0 to 100 %
}

export interface Shape {
  title: string;
  heading: string; // what the rows are
  series: Series[];
  rows: Row[];
  lying?: boolean; // bars from left to right
  empty: string;
  table: string; // words on the button
}

export class CityChart extends HTMLElement {
  private chart: EChartsType | undefined;
  private shape: Shape | undefined;
  private frame = document.createElement("div");
  private words = document.createElement("details");

  connectedCallback(): void {
    if (this.frame.isConnected) return;
    this.frame.className = "chart";
    this.append(this.frame, this.words);
    new ResizeObserver(() => this.chart?.resize()).observe(this.frame);
    whenThemeChanges(() => this.shape && this.show(this.shape));
  }

  show(shape: Shape): void {
    this.shape = shape;
    const something = shape.rows.some((row) => row.values.some((value) => value));
    this.dataset["empty"] = something ? "" : "yes";
    this.tabulate(shape);
    if (!something) {
      this.chart?.dispose();
      this.chart = undefined;
      this.frame.textContent = shape.empty;
      return;
    }
    if (!this.chart) {
      this.frame.textContent = "";
      this.chart = init(this.frame, undefined, { renderer: "svg" });
      this.chart.on("click", (event) => {
        const link = this.shape?.rows[event.dataIndex]?.link;
        if (link) location.href = link;
      });
    }
    this.chart.setOption(this.option(shape), { notMerge: true });
  }

  private option(shape: Shape): Record<string, unknown> {
    const ink = tone(this, "ink-2"),
      line = tone(this, "line"),
      card = tone(this, "card"),
      strong = tone(this, "ink");
    const names = {
      type: "category",
      data: shape.rows.map((row) => row.name),
      inverse: shape.lying,
      axisLabel: {
        color: ink,
        fontSize: 11,
        hideOverlap: true,
        width: shape.lying ? 92 : undefined,
        overflow: "truncate",
      },
      axisLine: { lineStyle: { color: line } },
      axisTick: { show: false },
    };
    const numbers = {
      type: "value",
      minInterval: 1,
      splitNumber: 3,
      axisLabel: { color: ink, fontSize: 11 },
      splitLine: { lineStyle: { color: line } },
    };
    const percents = {
      type: "value",
      min: 0,
      max: 1,
      splitNumber: 2,
      axisLabel: { color: ink, fontSize: 11, formatter: (value: number) => `${Math.round(value * 100)}%` },
      splitLine: { show: false },
    };
    const two = shape.series.some((series) => series.percent);
    return {
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      animationDuration: 250,
      aria: { enabled: true, label: { description: shape.title } },
      textStyle: { fontFamily: getComputedStyle(this).fontFamily },
      grid: { left: 4, right: two ? 4 : 10, top: 26, bottom: 2, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 10, itemHeight: 8, itemGap: 12, textStyle: { color: ink, fontSize: 11 } },
      tooltip: {
        trigger: "axis",
        confine: true,
        backgroundColor: card,
        borderColor: line,
        textStyle: { color: strong, fontSize: 12 },
        axisPointer: { type: "shadow" },
      },
      xAxis: shape.lying ? numbers : names,
      yAxis: shape.lying ? names : two ? [numbers, percents] : numbers,
      series: shape.series.map((series, at) => ({
        name: series.name,
        type: series.kind,
        stack: series.stack,
        cursor: shape.rows.some((row) => row.link) ? "pointer" : "default",
        yAxisIndex: series.percent && !shape.lying ? 1 : 0,
        color: tone(this, series.colour),
        barMaxWidth: 16,
        showSymbol: shape.rows.length <= 12,
        lineStyle: { width: 2 },
        connectNulls: false,
        tooltip: series.percent
          ? { valueFormatter: (value: number | null) => (value === null ? "—" : `${(value * 100).toFixed(1)} %`) }
          : undefined,
        data: shape.rows.map((row) => row.values[at] ?? null),
      })),
    };
  }

  private tabulate(shape: Shape): void {
    const open = this.words.open;
    const summary = document.createElement("summary"),
      table = document.createElement("table"),
      frame = document.createElement("div");
    summary.textContent = shape.table;
    const cell = (row: HTMLTableRowElement, kind: "th" | "td", text: string, link?: string) => {
      const made = document.createElement(kind);
      if (kind === "th") made.scope = row.parentElement?.tagName === "THEAD" ? "col" : "row";
      if (link) {
        const anchor = document.createElement("a");
        anchor.href = link;
        anchor.textContent = text;
        made.append(anchor);
      } else made.textContent = text;
      row.append(made);
    };
    const head = table.createTHead().insertRow();
    cell(head, "th", shape.heading);
    for (const series of shape.series) cell(head, "th", series.name);
    const body = table.createTBody();
    for (const row of shape.rows) {
      const line = body.insertRow();
      cell(line, "th", row.name, row.link);
      shape.series.forEach((series, at) => {
        const value = row.values[at];
        cell(
          line,
          "td",
          value === null || value === undefined
            ? "—"
            : series.percent
              ? `${(value * 100).toFixed(1)} %`
              : String(value),
        );
      });
    }
    frame.className = "table";
    frame.append(table);
    this.words.replaceChildren(summary, frame);
    this.words.open = open;
  }
}

if (!customElements.get("city-chart")) customElements.define("city-chart", CityChart);
