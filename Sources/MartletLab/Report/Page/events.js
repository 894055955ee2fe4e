// The list of events: only the rows in sight exist. Filters, and what led to an event and what came of it.

const eventList = {
  rowHeight: 24, shown: [], hiddenKinds: new Set(), text: "", node: -1, flow: -1, chain: new Set(),

  start() {
    this.box = $("events");
    this.rows = $("rows");
    this.effects = new Map();
    events.cause.forEach((cause, index) => {
      if (cause >= 0) this.effects.set(cause, [...(this.effects.get(cause) || []), index]);
    });
    const counts = new Array(kinds.length).fill(0);
    events.kind.forEach((kind) => counts[kind]++);
    kinds.forEach((kind, index) => {
      const [sign, style] = kindStyle(kind);
      const chip = h("button", { type: "button", class: `chip ${style}`, "aria-pressed": "true", onclick: () => {
        const hidden = this.hiddenKinds.has(index);
        if (hidden) this.hiddenKinds.delete(index); else this.hiddenKinds.add(index);
        chip.setAttribute("aria-pressed", String(hidden));
        this.filter();
      } }, h("span", { class: "sign", "aria-hidden": "true" }, sign), `${kind} `, h("small", {}, counts[index]));
      $("kinds").append(chip);
    });
    this.fillSelect($("filter-node"), "every node", nodes.map((node) => node.name), (value) => { this.node = value; });
    this.fillSelect($("filter-flow"), "every flow", flows.map((flow) => flow.name), (value) => { this.flow = value; });
    $("filter-text").addEventListener("input", () => { this.text = $("filter-text").value.toLowerCase(); this.filter(); });
    $("filter-clear").addEventListener("click", () => this.clear());
    this.box.addEventListener("scroll", soon(() => this.draw()));
    this.box.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(soon(() => this.draw())).observe(this.box);
    lab.on("time", () => this.moved());
    this.filter();
  },

  fillSelect(select, all, names, choose) {
    select.append(h("option", { value: -1 }, all), ...names.map((name, index) => h("option", { value: index }, name)));
    select.addEventListener("change", () => { choose(Number(select.value)); this.filter(); });
  },

  clear() {
    this.hiddenKinds.clear();
    this.text = $("filter-text").value = "";
    this.node = this.flow = -1;
    $("filter-node").value = $("filter-flow").value = -1;
    for (const chip of $("kinds").children) chip.setAttribute("aria-pressed", "true");
    this.filter();
  },

  // What is said of an event: its own words, and those of its packet, without what a list has no room for if `isShort`.
  words(index, isShort = false) {
    const frame = events.frame[index], text = events.text[index];
    if (frame < 0) return text;
    const packet = `${frames.layer[frame]} ${isShort ? shortWords(frame) : frames.text[frame]}`;
    if (text.includes("\u0001")) return text.replace("\u0001", packet);
    return ["sent", "received", "forwarded"].includes(kinds[events.kind[index]]) ? packet : `${text}: ${packet}`;
  },

  filter() {
    this.shown = [];
    for (let index = 0; index < eventCount; index++) {
      if (this.hiddenKinds.has(events.kind[index])) continue;
      if (this.node >= 0 && events.node[index] !== this.node) continue;
      if (this.flow >= 0 && events.flow[index] !== this.flow) continue;
      if (this.text && !`${nodeName(events.node[index])} ${kinds[events.kind[index]]} ${this.words(index)}`.toLowerCase().includes(this.text)) continue;
      this.shown.push(index);
    }
    const all = this.shown.length === eventCount;
    $("count").textContent = all ? `${eventCount} events` : `${this.shown.length} of ${eventCount} events`;
    $("filter-clear").hidden = all;
    this.rows.style.height = `${this.shown.length * this.rowHeight}px`;
    $("nothing").hidden = this.shown.length > 0;
    this.reveal();
    this.draw();
  },

  // The row of the event that happened last among those shown.
  get current() { return lastAtOrBefore(this.shown, lab.at); },

  moved() {
    this.chain = new Set();
    for (let index = lab.at; index >= 0 && !this.chain.has(index); index = events.cause[index]) this.chain.add(index);
    this.reveal();
    this.draw();
    this.tellCauses();
  },

  reveal() {
    const top = this.current * this.rowHeight, height = this.box.clientHeight;
    if (top < this.box.scrollTop || top + this.rowHeight > this.box.scrollTop + height) {
      this.box.scrollTop = Math.max(0, top - height / 2);
    }
  },

  draw() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.rowHeight) - 4);
    const count = Math.ceil(this.box.clientHeight / this.rowHeight) + 8;
    const current = this.current;
    const rows = [];
    for (let row = first; row < Math.min(this.shown.length, first + count); row++) rows.push(this.row(row, row === current));
    this.rows.replaceChildren(...rows);
    if (current >= first && current < first + count) this.box.setAttribute("aria-activedescendant", `row-${this.shown[current]}`);
    else this.box.removeAttribute("aria-activedescendant");
  },

  row(row, isCurrent) {
    const index = this.shown[row], kind = kinds[events.kind[index]] ?? "", [sign, style] = kindStyle(kind);
    const exact = isCurrent && index === lab.at;
    return h("div", {
      class: ["row", style, exact ? "current" : isCurrent ? "near" : "", this.chain.has(index) && !exact ? "cause" : "", index > lab.at ? "future" : ""].join(" "),
      style: `top:${row * this.rowHeight}px`, id: `row-${index}`, role: "option", "aria-selected": String(exact),
      "aria-posinset": row + 1, "aria-setsize": this.shown.length, title: this.words(index),
      onclick: () => { player.stop(); lab.goTo(index); },
    }, h("span", { class: "time" }, (events.time[index] / 1e6).toFixed(3)), h("span", { class: "place" }, nodeName(events.node[index])),
    h("span", { class: "sign", "aria-hidden": "true" }, sign), h("span", { class: "kind" }, kind), h("span", { class: "words" }, this.words(index, true)));
  },

  key(event) {
    const rows = Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 1);
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: rows, PageUp: -rows }[event.key];
    if (!move || !this.shown.length) return;
    event.preventDefault();
    event.stopPropagation();
    player.stop();
    lab.goTo(this.shown[Math.max(0, Math.min(this.shown.length - 1, this.current + move))]);
  },

  link(index) {
    return h("button", { type: "button", class: "eventlink", onclick: () => { player.stop(); lab.goTo(index); } },
      h("b", {}, `#${index} ${nodeName(events.node[index])} ${kinds[events.kind[index]]}`), ` ${this.words(index, true)}`,
      h("small", {}, ` ${spanText(Math.abs(events.time[lab.at] - events.time[index]))} ${index <= lab.at ? "before" : "later"}`));
  },

  tellCauses() {
    const box = $("causes");
    if (lab.at < 0) { box.replaceChildren(h("p", { class: "quiet" }, "Nothing has happened yet.")); return; }
    const words = h("p", {}, h("b", {}, `#${lab.at} ${nodeName(events.node[lab.at])} ${kinds[events.kind[lab.at]]}`), ` ${this.words(lab.at)}`);
    const causes = [...this.chain].slice(1);
    const effects = this.effects.get(lab.at) || [];
    const list = (title, items) => items.length
      ? [h("h4", {}, title), h("ol", {}, items.slice(0, 12).map((index) => h("li", {}, this.link(index)))),
        items.length > 12 ? h("p", { class: "quiet" }, `and ${items.length - 12} more`) : null]
      : [];
    box.replaceChildren(...[words, list("because of", causes), list("led to", effects)].flat().filter(Boolean));
  },
};
