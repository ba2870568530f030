/** The alarms of sensors that stand in the region shown, as the server words them; for those who may see sensors. */

const ASK_EVERY_MS = 15_000;

export class AlertPanel {
  private region = "";
  private tag: string | null = null;
  private asked = 0; // the newest question; a late answer to another is dropped

  constructor(
    private readonly box: HTMLElement,
    private readonly past: string,
  ) {
    setInterval(() => {
      if (!document.hidden && this.region) void this.ask();
    }, ASK_EVERY_MS);
  }

  /** Show a region as it is now; looking back shows that the past is not known here. */
  show(region: string, at: string | null): void {
    this.tag = null;
    this.asked++;
    this.region = at ? "" : region;
    if (this.region) void this.ask();
    else this.say(this.past);
  }

  private async ask(): Promise<void> {
    const mine = ++this.asked;
    try {
      const url = `${this.box.dataset["alerts"]}?${new URLSearchParams({ region: this.region })}`;
      const answer = await fetch(url, { cache: "no-cache" });
      if (mine !== this.asked) return;
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const tag = answer.headers.get("ETag");
      const html = await answer.text();
      if (mine !== this.asked || (tag !== null && tag === this.tag)) return; // what has focus keeps it
      this.tag = tag;
      this.box.innerHTML = html; // made and escaped by our own template
    } catch {
      if (mine !== this.asked) return;
      this.tag = null;
      this.say(this.box.dataset["lost"] ?? "");
    }
  }

  private say(words: string): void {
    this.box.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet", textContent: words }));
  }
}
