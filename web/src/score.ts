/** Pages of the score: charts from the numbers that the page carries. */
import "./score.css";
import "./shared/city-chart";
import type { CityChart, Shape } from "./shared/city-chart";

for (const chart of document.querySelectorAll<CityChart>("city-chart[data-chart]"))
  chart.show(JSON.parse(chart.dataset["chart"] ?? "{}") as Shape);
