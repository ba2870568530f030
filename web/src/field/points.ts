/** Tasks as points for the map, made on the phone where there is no network; and the traffic light of a task. */
import type { Task } from "./store";

/** Red when the deadline has passed, yellow in the last part of the time (from `yellow` of it on), green before. */
export function light(task: Task, at: number, yellow: number): "" | "red" | "yellow" | "green" {
  if (!task.deadline || !task.opened_at) return "";
  const due = Date.parse(task.deadline),
    opened = Date.parse(task.opened_at);
  if (at >= due) return "red";
  return due <= opened || (at - opened) / (due - opened) >= yellow ? "yellow" : "green";
}

export function points(tasks: readonly Task[], at: number, yellow: number): object {
  const features = tasks
    .filter((task) => task.lon !== null && task.lat !== null)
    .map((task) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [task.lon, task.lat] },
      properties: { number: task.number, category_name: task.category, light: light(task, at, yellow) || "green" },
    }));
  return { type: "FeatureCollection", features };
}
