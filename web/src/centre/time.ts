/** The slider over a day. `null` is now: what is shown then moves with the city. */
import { find } from "../shared/find";

const STEP_MINUTES = 10;

/** How far a zone's clocks are from UTC at a moment, as RFC 3339 writes it. */
function offset(zone: string, at: Date): string {
  const part = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(at)
    .find((found) => found.type === "timeZoneName");
  return part?.value.replace("GMT", "") || "+00:00";
}

/** A day and a minute of it on the city's clocks, as RFC 3339. */
export function momentOf(day: string, minutes: number, zone: string): string {
  const clock = `${day}T${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00`;
  // The first guess is some hours off; where the clocks change within them, only the second is of the moment itself.
  const near = new Date(clock + offset(zone, new Date(`${clock}Z`)));
  return clock + offset(zone, near);
}

/** Day and minute of now on the city's clocks. */
export function nowIn(zone: string): { day: string; minutes: number } {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-CA", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    })
      .formatToParts(new Date())
      .map((part) => [part.type, part.value]),
  );
  return {
    day: `${parts["year"]}-${parts["month"]}-${parts["day"]}`,
    minutes: Number(parts["hour"]) * 60 + Number(parts["minute"]),
  };
}

export class TimeSlider {
  private playing: number | undefined;
  private readonly day: HTMLInputElement;
  private readonly slider: HTMLInputElement;
  private readonly shown: HTMLOutputElement;

  constructor(
    root: HTMLElement,
    private readonly zone: string,
    private readonly words: { now: string; play: string; stop: string },
    private readonly changed: (at: string | null) => void,
    begins: string | null,
  ) {
    this.day = find(root, "[name=day]");
    this.slider = find(root, "[name=minutes]");
    this.shown = find(root, "output");
    this.slider.step = String(STEP_MINUTES);
    this.slider.max = String(24 * 60 - STEP_MINUTES);
    this.day.addEventListener("change", () => this.moved());
    let waiting: number | undefined;
    this.slider.addEventListener("input", () => {
      this.say();
      clearTimeout(waiting);
      waiting = window.setTimeout(() => this.moved(), 120); // while it is dragged, not every step is asked for
    });
    find(root, "[data-now]").addEventListener("click", () => this.live());
    find(root, "[data-play]").addEventListener("click", (event) => this.play(event.currentTarget as HTMLButtonElement));
    if (begins) this.end(begins);
    else this.live();
  }

  /** The end of a day. */
  private end(day: string): void {
    this.day.max = nowIn(this.zone).day;
    this.day.value = day;
    this.slider.value = this.slider.max;
    this.moved();
  }

  live(): void {
    this.stop();
    const { day, minutes } = nowIn(this.zone);
    this.day.max = day;
    this.day.value = day;
    this.slider.value = String(minutes);
    this.slider.setAttribute("aria-valuetext", this.words.now);
    this.shown.textContent = this.words.now;
    this.changed(null);
  }

  private moved(): void {
    const now = nowIn(this.zone);
    const minutes = Number(this.slider.value);
    if (!this.day.value || (this.day.value === now.day && minutes >= now.minutes)) {
      this.live();
      return;
    }
    this.say();
    this.changed(momentOf(this.day.value, minutes, this.zone));
  }

  private say(): void {
    const minutes = Number(this.slider.value);
    const text = `${this.day.value} ${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
    this.shown.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
  }

  private play(button: HTMLButtonElement): void {
    if (this.playing) {
      this.stop();
      return;
    }
    const now = nowIn(this.zone);
    if (this.day.value === now.day && Number(this.slider.value) >= now.minutes - STEP_MINUTES) this.slider.value = "0";
    button.setAttribute("aria-pressed", "true");
    button.textContent = this.words.stop;
    this.playing = window.setInterval(() => {
      const next = Number(this.slider.value) + 3 * STEP_MINUTES;
      if (next > Number(this.slider.max)) return this.stop();
      this.slider.value = String(next);
      this.moved();
    }, 900);
  }

  private stop(): void {
    clearInterval(this.playing);
    this.playing = undefined;
    const button = this.shown.closest("form, div")?.querySelector<HTMLButtonElement>("[data-play]");
    button?.setAttribute("aria-pressed", "false");
    if (button) button.textContent = this.words.play;
  }
}
