/**
 * <field-app>: the phone of crews and inspectors. Everything done goes into the queue first and is sent from there, so that
 * being offline is no special case. The shell's page holds the words; tasks come as JSON and are kept for reading offline.
 */
import "./field/field.css";
import { h, say, shell } from "./field/dom";
import workerUrl from "./field/field-worker?worker&url";
import type { Said } from "./field/forms";
import { reportForm } from "./field/forms";
import { photosToKeep } from "./field/photos";
import { queuePage } from "./field/queue";
import type { Point } from "./field/route";
import { openTour } from "./field/route";
import type { Entry, Tasks } from "./field/store";
import { add, entries, forgetTasks, keepTasks, onChange, readTasks, remove, update } from "./field/store";
import { announcement } from "./field/success";
import { session, stale, sync, unsettled } from "./field/sync";
import type { List, Position, Sort } from "./field/tasks";
import { age, divided, doneToday, LISTS, ordered, taskList, taskPage } from "./field/tasks";

const BASE = shell.urls.shell;
const EVERY = 20_000;
const FRESH = 60_000;

class FieldApp extends HTMLElement {
  private tasks: Tasks | undefined;
  private queue: Entry[] = [];
  private position: Position | undefined;
  private sort: Sort = "time";
  private signedOut = false;
  private reached = true;
  private dirty = false;
  private user = "";
  private list: List = "tasks";
  /** What was just done, for as long as the page stays that it led to. */
  private last: { id: number; left: string } | undefined;
  private readonly notice = h("div", { class: "said field-success", role: "status", hidden: true });
  private readonly banner = h("div", { class: "errors", role: "alert", hidden: true });
  private readonly body = h("div", { class: "field-body" });

  connectedCallback(): void {
    this.replaceChildren(this.banner, this.notice, this.body);
    this.sort = (localStorage.getItem("yiwang-field-sort") as Sort | null) ?? "time";
    addEventListener("hashchange", () => {
      this.dirty = false;
      if (this.last && this.last.left !== location.hash) this.last = undefined;
      this.announce();
      this.draw();
      if (location.hash === "#done") void this.fetchDone().then(() => this.reload());
      scrollTo(0, 0);
    });
    addEventListener("online", () => void this.hurry());
    addEventListener("offline", () => this.status());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && void this.work());
    setInterval(() => void this.work(), EVERY);
    onChange(() => void this.reload());
    void this.begin();
  }

  private async begin(): Promise<void> {
    if ("serviceWorker" in navigator)
      navigator.serviceWorker
        .register(shell.urls.worker, { scope: BASE })
        .catch((error: unknown) => console.warn("no service worker", error));
    void navigator.storage?.persist?.();
    try {
      await this.reload();
    } catch {
      this.banner.hidden = false;
      this.banner.textContent = say("no_storage");
    }
    this.dataset["ready"] = "yes";
    this.dataset["worker"] = workerUrl; // built beside the page; the server serves it from where it may control the page
    const allowed = await navigator.permissions?.query({ name: "geolocation" }).catch(() => undefined);
    if (allowed?.state === "granted") this.locate();
    await this.work(true);
  }

  /** Read again what is kept, and show it, unless somebody is just writing. */
  private async reload(): Promise<void> {
    [this.tasks, this.queue] = await Promise.all([readTasks(shell.city), entries(shell.city)]);
    for (const entry of this.queue) if (stale(entry)) await remove(entry.id);
    this.user ||= this.tasks?.user ?? "";
    this.status();
    this.announce();
    if (!this.dirty) this.draw();
  }

  /** Send what waits, then read the tasks when they are old or something was sent. */
  private async work(fresh = false): Promise<void> {
    const outcome = await sync(shell.city, BASE);
    if (outcome === "signed-out") await this.out();
    else if (outcome === "offline") this.reached = false;
    else {
      this.reached = true;
      const old = !this.tasks || Date.now() - Date.parse(this.tasks.at) > FRESH;
      if (fresh || outcome === "sent" || (old && document.visibilityState === "visible")) await this.fetchTasks();
      if (outcome === "sent" || (this.tasks && !doneToday(this.tasks))) await this.fetchDone();
    }
    this.dataset["synced"] = String(Date.now());
    await this.reload();
  }

  private async out(): Promise<void> {
    this.signedOut = true;
    this.reached = true;
    if (this.tasks) await forgetTasks();
  }

  private async fetchTasks(): Promise<void> {
    try {
      const answer = await fetch(`${BASE}/tasks.json`, {
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(20_000),
      });
      if (answer.status === 401) return await this.out();
      if (!answer.ok) return;
      const tasks = (await answer.json()) as Tasks;
      this.signedOut = false;
      this.user = tasks.user;
      await keepTasks({ ...tasks, city: shell.city });
      await this.keepPhotos(tasks);
    } catch {
      this.reached = false;
    }
  }

  /** What was done today costs the server more than the tasks, so it is asked for only when it may have changed. */
  private async fetchDone(): Promise<void> {
    const kept = await readTasks(shell.city);
    if (!kept) return;
    try {
      const answer = await fetch(shell.urls.done, {
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(20_000),
      });
      if (!answer.ok) return;
      const { user, day, items } = (await answer.json()) as NonNullable<Tasks["done"]> & { user: string };
      const now = await readTasks(shell.city);
      if (now?.user === user) await keepTasks({ ...now, done: { day, items } });
    } catch {
      this.reached = false;
    }
  }

  /** The worker keeps the photos of what is on the list, once nothing waits to be sent that would have to share the line. */
  private async keepPhotos(tasks: Tasks): Promise<void> {
    const waits = (await entries(shell.city)).some((entry) => entry.state === "waiting");
    const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
    if (waits || saving) return;
    const shown = ordered(tasks.items, "time", undefined).items;
    navigator.serviceWorker?.controller?.postMessage({ keep: photosToKeep(shown) });
  }

  /** Back online: what waited for its turn need not wait longer. */
  private async hurry(): Promise<void> {
    for (const entry of await entries(shell.city))
      if (entry.state === "waiting" && entry.next_at > Date.now()) await update(entry.id, { next_at: 0, tries: 0 });
    await this.work(true);
  }

  private async enqueue(
    kind: Entry["kind"],
    said: Said,
    about: { number: string; verb: string; label: string; seq: number },
  ): Promise<void> {
    // what waits here exists nowhere else yet: the browser is asked not to throw it away when the phone runs full
    void navigator.storage?.persist?.().catch(() => false);
    const before = this.queue
      .filter(
        (entry) =>
          kind === "verb" &&
          entry.kind === "verb" &&
          entry.number === about.number &&
          entry.user === this.user &&
          unsettled(entry),
      )
      .at(-1);
    const id = await add({
      ...about,
      key: crypto.randomUUID(),
      city: shell.city,
      user: this.user,
      kind,
      after: before?.id,
      fields: said.fields,
      photos: said.photos,
      made_at: new Date().toISOString(),
      lon: this.position?.lon ?? null,
      lat: this.position?.lat ?? null,
      accuracy: this.position?.accuracy ?? null,
      state: "waiting",
      tries: 0,
      next_at: 0,
    });
    this.last = { id, left: kind === "report" ? "#queue" : "#tasks" };
    const registration = await Promise.race([
      navigator.serviceWorker?.ready,
      new Promise<undefined>((done) => setTimeout(done, 300)),
    ]);
    await (registration as unknown as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync
      ?.register("yiwang-field")
      .catch(() => undefined);
    this.dirty = false;
    location.hash = this.last.left;
    void this.work();
  }

  /** Say what became of what was just done, and lead to the next task. */
  private announce(): void {
    const entry = this.queue.find(({ id }) => id === this.last?.id);
    this.notice.hidden = !entry;
    if (!entry) return;
    const mine = this.queue.filter(({ user }) => user === this.user);
    const todo = ordered(divided(this.tasks, mine).todo, this.sort, this.position).items;
    const told = announcement(entry, todo, { offline: !navigator.onLine || !this.reached });
    if (this.notice.dataset["told"] === told.key) return; // not read aloud again for nothing
    this.notice.dataset["told"] = told.key;
    this.notice.replaceChildren(...told.elements);
  }

  // --- showing ---------------------------------------------------------------------------------------------------

  private status(): void {
    const mine = this.queue.filter((entry) => !this.user || entry.user === this.user);
    const waiting = mine.filter((entry) => entry.state === "waiting").length,
      conflicts = mine.filter((entry) => entry.state === "conflict").length;
    const missing = mine.reduce((sum, entry) => sum + (entry.refused?.length ?? 0), 0);
    const online = navigator.onLine && this.reached;
    const line = document.querySelector<HTMLElement>(".field-sync"),
      badge = document.querySelector<HTMLElement>(".field-badge");
    const parts = [
      say(online ? "online" : "offline"),
      waiting > 0 && say("waiting", { n: waiting }),
      conflicts > 0 && say("conflicts", { n: conflicts }),
      missing > 0 && say("photos_missing", { n: missing }),
      !waiting && !conflicts && !missing && mine.length > 0 && say("all_sent"),
      this.tasks && say("data_age", { age: age(this.tasks.at) }),
    ];
    const text = parts.filter(Boolean).join(" · ");
    if (line && line.textContent !== text) line.textContent = text;
    line?.classList.toggle("off", !online);
    if (badge) {
      badge.hidden = !(waiting + conflicts);
      badge.textContent = String(waiting + conflicts);
      badge.classList.toggle("bad", conflicts > 0);
    }
    this.banner.hidden = !this.signedOut;
    if (this.signedOut)
      this.banner.replaceChildren(
        say("signed_out"),
        " ",
        h("a", { class: "button", href: shell.urls.sign_in }, say("sign_in")),
      );
  }

  private draw(): void {
    const [view, argument] = location.hash.slice(1).split("=", 2);
    for (const tab of document.querySelectorAll<HTMLAnchorElement>(".field-tabs a")) {
      const inTasks = !view || view === "case" || view in LISTS;
      const current = inTasks ? tab.hash === "#tasks" : tab.hash === `#${view}`;
      if (current) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    const open = this.body.dataset["view"] === location.hash ? (document.activeElement as HTMLElement | null)?.id : "";
    const map = view === "map" && this.body.querySelector("city-map");
    if (map && this.body.dataset["at"] === this.tasks?.at) return; // a map is not drawn anew for nothing
    this.body.dataset["view"] = location.hash;
    this.body.dataset["at"] = this.tasks?.at ?? "";
    this.body.replaceChildren(this.page(view ?? "", argument ?? ""));
    if (open) document.getElementById(open)?.focus();
  }

  private page(view: string, argument: string): HTMLElement {
    const touched = (): void => {
      this.dirty = true;
    };
    const task =
      view === "case" ? this.tasks?.items.find((item) => item.number === decodeURIComponent(argument)) : undefined;
    if (task && this.tasks)
      return taskPage(
        task,
        this.tasks,
        this.queue.filter((entry) => entry.user === this.user),
        touched,
        (verb, said) =>
          this.enqueue("verb", said, {
            number: task.number,
            verb,
            label: shell.verbs[verb]?.name ?? verb,
            seq: task.seq,
          }),
        this.list,
      );
    if (view === "report")
      return h(
        "section",
        { "aria-labelledby": "report-title" },
        h("h2", { id: "report-title" }, say("report")),
        reportForm(touched, this.where(), (said) =>
          this.enqueue("report", said, { number: "", verb: "", label: say("report"), seq: 0 }),
        ),
      );
    if (view === "queue") return queuePage(this.queue, this.user, () => void this.work());
    if (view === "map") return this.map();
    this.list = view in LISTS ? (view as List) : "tasks";
    const mine = this.queue.filter((entry) => entry.user === this.user);
    const list = taskList(this.tasks, mine, {
      list: this.list,
      sort: this.sort,
      position: this.position,
      choose: (sort) => {
        this.sort = sort;
        localStorage.setItem("yiwang-field-sort", sort);
        if (sort !== "time") this.locate();
        this.draw();
      },
      locate: () => this.locate(),
      refresh: () => void this.hurry(),
    });
    list.append(
      h(
        "p",
        { class: "field-foot" },
        h("a", { href: `${BASE.replace(/field$/, "")}` }, say("pages")),
        " · ",
        h("button", { type: "button", class: "plain", click: () => void this.signOut() }, say("sign_out")),
      ),
    );
    return list;
  }

  private where(): HTMLElement {
    const text = h(
      "span",
      { id: "report-position" },
      this.position ? say("located", { m: Math.round(this.position.accuracy) }) : say("position_none"),
    );
    return h(
      "p",
      { class: "field-row" },
      h("span", {}, say("position"), " ", text),
      h("button", { type: "button", class: "plain", click: () => this.locate() }, say("locate")),
    );
  }

  private map(): HTMLElement {
    void import("./city-map").catch(() => (this.notice.hidden = false));
    const labels = JSON.stringify({
      late: say("overdue"),
      soon: say("soon"),
      fine: say("fine"),
      failed: say("failed"),
      open: say("tasks"),
      overdue: say("overdue"),
      "Map.Title": say("map"),
      "Marker.Title": say("map_marker"),
      "NavigationControl.ZoomIn": say("zoom_in"),
      "NavigationControl.ZoomOut": say("zoom_out"),
      "Popup.Close": say("close"),
    });
    const frame = h("city-map", {
      labels,
      "aria-label": say("map"),
      regions: navigator.onLine && shell.urls.regions,
      cases: `${BASE}/points.json`,
      "case-link": "#case={number}",
      lon: this.position?.lon,
      lat: this.position?.lat,
      zoom: this.position && 13,
    });
    return h(
      "section",
      {},
      h("h2", { class: "visually-hidden" }, say("map")),
      frame,
      !navigator.onLine && h("p", { class: "quiet" }, say("map_offline")),
    );
  }

  private locate(): void {
    navigator.geolocation?.getCurrentPosition(
      (found) => {
        this.position = {
          lon: found.coords.longitude,
          lat: found.coords.latitude,
          accuracy: found.coords.accuracy,
          at: Date.now(),
        };
        const text = document.getElementById("report-position");
        if (text) text.textContent = say("located", { m: Math.round(this.position.accuracy) });
        if (!this.dirty && !location.hash.startsWith("#report")) this.draw();
      },
      () => undefined,
      { enableHighAccuracy: true, maximumAge: 60_000, timeout: 20_000 },
    );
  }

  /** Personal data goes from the phone first; what waits to be sent stays for its owner. */
  private async signOut(): Promise<void> {
    await forgetTasks();
    const who = await session(BASE);
    if (typeof who === "object")
      await fetch("/sign-out", { method: "POST", headers: { "X-CSRFToken": who.csrf }, redirect: "manual" });
    location.href = "/";
  }

  /** The route of the given stops, for tests to hold against brute force. */
  tour(start: Point, stops: Point[]): { order: number[]; metres: number } {
    return openTour(start, stops);
  }
}

customElements.define("field-app", FieldApp);
