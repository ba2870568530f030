/** Signs on a map: a shape and a colour for each meaning, so that nobody needs to tell red from green. */

import type { Map as Canvas, ExpressionSpecification } from "maplibre-gl";
import { tone } from "./tones";

const SIZE = 14; // pixels of a sign, drawn twice as large
const PLATE = 22; // of one that lies on a round plate

/** The colour's name in the style sheet, and the outline in a square of 1. */
export type Sign = [colour: string, draw: (pen: CanvasRenderingContext2D) => void];

export const disc = (pen: CanvasRenderingContext2D): void => pen.arc(0.5, 0.5, 0.36, 0, 7);
export const triangle = (pen: CanvasRenderingContext2D): void => path(pen, [0.5, 0.06], [0.95, 0.88], [0.05, 0.88]);
export const square = (pen: CanvasRenderingContext2D): void => pen.rect(0.17, 0.17, 0.66, 0.66);
export const diamond = (pen: CanvasRenderingContext2D): void =>
  path(pen, [0.5, 0.06], [0.94, 0.5], [0.5, 0.94], [0.06, 0.5]);
export const bar = (pen: CanvasRenderingContext2D): void =>
  path(pen, [0.1, 0.36], [0.9, 0.36], [0.9, 0.64], [0.1, 0.64]);
export const cross = (pen: CanvasRenderingContext2D): void =>
  path(
    pen,
    [0.5, 0.34],
    [0.78, 0.06],
    [0.94, 0.22],
    [0.66, 0.5],
    [0.94, 0.78],
    [0.78, 0.94],
    [0.5, 0.66],
    [0.22, 0.94],
    [0.06, 0.78],
    [0.34, 0.5],
    [0.06, 0.22],
    [0.22, 0.06],
  );
/** Five points, the first upwards. */
export const star = (pen: CanvasRenderingContext2D): void =>
  path(
    pen,
    ...Array.from({ length: 10 }, (_, at): [number, number] => {
      const [reach, turn] = [at % 2 ? 0.24 : 0.5, (at * Math.PI) / 5];
      return [0.5 + reach * Math.sin(turn), 0.54 - reach * Math.cos(turn)];
    }),
  );

function path(pen: CanvasRenderingContext2D, ...corners: [number, number][]): void {
  for (const corner of corners) pen.lineTo(...corner);
  pen.closePath();
}

/** A sign as a picture, on a round plate where it is to be told from signs without; nothing where there is no canvas. */
export function picture(host: Element, [colour, draw]: Sign, plate = false): HTMLCanvasElement | null {
  const sheet = document.createElement("canvas"),
    size = plate ? PLATE : SIZE;
  sheet.width = sheet.height = 2 * size;
  const pen = sheet.getContext("2d");
  if (!pen) return null;
  if (plate) {
    pen.arc(size, size, size - 2, 0, 7);
    pen.fillStyle = tone(host, "card");
    pen.strokeStyle = tone(host, "map-ink-2");
    pen.lineWidth = 3;
    pen.fill();
    pen.stroke();
  }
  pen.translate(size - SIZE, size - SIZE);
  pen.scale(2 * SIZE, 2 * SIZE);
  pen.beginPath();
  draw(pen);
  pen.fillStyle = tone(host, colour);
  pen.strokeStyle = tone(host, "card");
  pen.lineWidth = 0.09;
  pen.fill();
  pen.stroke();
  return sheet;
}

/** Make signs known to a map as `prefix-name`, in the colours that its element has now. */
export function addSigns(
  canvas: Canvas,
  host: Element,
  prefix: string,
  signs: Record<string, Sign>,
  plate = false,
): void {
  for (const [name, sign] of Object.entries(signs)) {
    const id = `${prefix}-${name}`,
      sheet = picture(host, sign, plate),
      image = sheet?.getContext("2d")?.getImageData(0, 0, sheet.width, sheet.height);
    if (canvas.hasImage(id)) canvas.removeImage(id);
    if (image) canvas.addImage(id, image, { pixelRatio: 2 });
  }
}

/** The light of a case → the sign of it that the legends show: a triangle is overdue, a square soon, a disc in time. */
export const lights = (colours: Record<"red" | "yellow" | "green" | "none", string>): Record<string, Sign> => ({
  red: [colours.red, triangle],
  yellow: [colours.yellow, square],
  green: [colours.green, disc],
  none: [colours.none, disc],
});

/** Which of the lights' signs a case has, and how large: for a layer of symbols. */
export const LIGHT_ICON: ExpressionSpecification = [
  "concat",
  "light-",
  ["match", ["get", "light"], ["red", "yellow", "green"], ["get", "light"], "none"],
];
export const LIGHT_SIZE: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 8, 0.5, 16, 1.1];
/** What is worse lies on top. */
export const LIGHT_ORDER: ExpressionSpecification = ["match", ["get", "light"], "red", 3, "yellow", 2, "green", 1, 0];
