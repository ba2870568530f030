/**
 * <city-chart>: a chart (Apache ECharts) and, behind a button, the same numbers as a table with the same links.
 * `show` takes rows; series are columns of them. One that carries them as JSON in `data-chart` shows itself. A click on a mark goes where the row's link goes.
 */
import type { EChartsType } from "echarts/core";
import "./city-chart.css";
import { drawnOver, hasContent, isDrawn, reach } from "./chart-drawn";
import { figureText, percentText } from "./format";
import { tone, whenThemeChanges } from "./tones";

const NARROW = 420; // pixels

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

/** What is drawn over the series, which can be hidden with one entry of the legend. Rows are numbered from 0. */
export interface Drawn {
  name: string; // in the legend
  limits: { value: number; name: string; colour: string }[]; // lines across, the mildest first
  stretches: { from: number; to: number; name: string; colour: string }[]; // shaded, from row to row
  marks: { at: number; name: string; title: string; link: string }[]; // pins; a click goes where they lead
}

export interface Shape {
  title: string;
  heading: string; // what the rows are
  series: Series[];
  rows: Row[];
  lying?: boolean; // bars from left to right
  drawn?: Drawn;
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
    const carried = this.dataset["chart"];
    if (carried) this.show(JSON.parse(carried) as Shape);
  }

  show(shape: Shape): void {
    this.shape = shape;
    const something = hasContent(shape);
    this.dataset["empty"] = something ? "" : "yes";
    this.tabulate(shape);
    if (!something) {
      this.chart?.dispose();
      this.chart = undefined;
      this.frame.textContent = shape.empty;
      return;
    }
    void this.draw();
  }

  private async draw(): Promise<void> {
    const { init } = await import("./drawing");
    const shape = this.shape; // the newest: more may have come meanwhile
    if (!shape || this.dataset["empty"]) return;
    if (!this.chart) {
      this.frame.textContent = "";
      this.chart = init(this.frame, undefined, { renderer: "svg" });
      this.chart.on("click", (event) => {
        const link =
          event.componentType === "markPoint"
            ? this.shape?.drawn?.marks[event.dataIndex]?.link
            : this.shape?.rows[event.dataIndex]?.link;
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
      minInterval: shape.drawn ? undefined : 1, // what is measured is not counted
      ...(shape.drawn ? reach(shape, shape.drawn) : {}),
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
      // on a phone the legend needs a second line where one of its entries is for what is drawn over
      grid: {
        left: 4,
        right: two ? 4 : 10,
        top: shape.drawn && this.clientWidth < NARROW ? 48 : 26,
        bottom: 2,
        containLabel: true,
      },
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
      series: [
        ...this.series(shape),
        ...(isDrawn(shape.drawn) ? [drawnOver(shape.drawn, shape.rows, (name) => tone(this, name))] : []),
      ],
    };
  }

  private series(shape: Shape): Record<string, unknown>[] {
    return shape.series.map((series, at) => ({
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
      tooltip: series.percent ? { valueFormatter: (value: number | null) => percentText(value) } : undefined,
      data: shape.rows.map((row) => row.values[at] ?? null),
    }));
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
        cell(line, "td", series.percent ? percentText(value) : figureText(value));
      });
    }
    frame.className = "table";
    frame.append(table);
    this.words.replaceChildren(summary, frame);
    this.words.open = open;
  }
}

if (!customElements.get("city-chart")) customElements.define("city-chart", CityChart);
