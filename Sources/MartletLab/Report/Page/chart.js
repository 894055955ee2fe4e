// One chart over the part of the run that is in view: axes with units, lines in steps, bands, marks, and a line at the moment shown.

function niceStep(span, count) {
  const rough = span / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
}

// Ticks of a time axis: positions in nanoseconds, words, and the unit they are in.
function timeTicks(from, to, count) {
  const [unit, size] = timeUnit(to - from);
  const step = niceStep((to - from) / size, count) * size;
  const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
  const ticks = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) ticks.push([time, (time / size).toFixed(digits)]);
  return { ticks, unit };
}

const axisWords = {
  bytes: (value) => value >= 1e6 ? `${trim((value / 1e6).toPrecision(4))} M` : value >= 1e4 ? `${trim((value / 1e3).toPrecision(4))} k` : String(value),
  count: (value) => Number.isInteger(value) ? String(value) : "",
};

class Chart {
  // - title: what stands above it. unit: "bytes", "count" or "time". label: the name of the upright axis.
  // - draw(chart): adds what is seen with `steps`, `band`, `mark` and so on, once `x` and `y` are known.
  // - top(): the greatest value in view.
  constructor(parent, { title, unit, label, height = 180, top, draw }) {
    Object.assign(this, { title, unit, label, height, top, draw, hidden: new Set(), readings: [], hover: null });
    this.legend = h("div", { class: "legend" });
    this.svg = s("svg", { class: "chart", role: "img", "aria-label": title });
    this.figure = h("figure", { class: "graph" }, h("figcaption", {}, h("h3", {}, title), this.legend), this.svg);
    parent.append(this.figure);
    this.listen();
  }

  listen() {
    let start = null;
    const timeAt = (event) => this.timeAt(event.clientX - this.svg.getBoundingClientRect().left);
    this.svg.addEventListener("pointerdown", (event) => { start = event.clientX; this.svg.setPointerCapture(event.pointerId); });
    this.svg.addEventListener("pointermove", (event) => {
      this.hover = Math.max(lab.view.from, Math.min(lab.view.to, timeAt(event)));
      this.read();
      if (start === null || Math.abs(event.clientX - start) < 5) return;
      const left = this.svg.getBoundingClientRect().left;
      const [a, b] = [start - left, event.clientX - left].sort((one, other) => one - other);
      this.selection.setAttribute("x", a);
      this.selection.setAttribute("width", b - a);
    });
    this.svg.addEventListener("pointerup", (event) => {
      if (start === null) return;
      const left = this.svg.getBoundingClientRect().left;
      if (Math.abs(event.clientX - start) < 5) lab.goToTime(timeAt(event));
      else {
        const [from, to] = [this.timeAt(start - left), timeAt(event)].sort((a, b) => a - b);
        lab.setView(from, to);
      }
      start = null;
    });
    this.svg.addEventListener("pointercancel", () => { start = null; this.render(); });
    this.svg.addEventListener("pointerleave", () => { this.hover = null; this.read(); });
    this.svg.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      lab.zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
    }, { passive: false });
  }

  timeAt(x) {
    const { from, to } = lab.view;
    return from + (x - this.left) / (this.right - this.left) * (to - from);
  }

  x(time) {
    const { from, to } = lab.view;
    return this.left + (time - from) / (to - from) * (this.right - this.left);
  }

  y(value) { return this.bottom - (value - this.low) / (this.high - this.low) * (this.bottom - 12); }

  render() {
    const width = this.svg.clientWidth || this.svg.parentNode.clientWidth;
    if (!width) return;
    this.left = 64; this.right = width - 16; this.bottom = this.height - 34;
    this.low = 0; this.high = 1;
    const range = this.top(this);
    const [low, high] = Array.isArray(range) ? range : [0, range];
    let unitSize = 1, unit = this.unit === "count" ? "" : this.unit;
    if (this.unit === "time") [unit, unitSize] = timeUnit(high);
    const step = niceStep(Math.max(high - low, unitSize === 1 && this.unit === "count" ? 3 : 1) / unitSize, 4) * unitSize;
    this.low = Math.floor(low / step) * step;
    this.high = Math.max(this.low + step, Math.ceil(high * 1.0001 / step) * step);
    this.legend.replaceChildren();
    this.readings = [];
    this.svg.replaceChildren();
    this.svg.setAttribute("height", this.height);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    const clip = `clip-${Chart.count = (Chart.count || 0) + 1}`;
    this.bands = s("g", { "clip-path": `url(#${clip})` });
    this.plot = s("g", { "clip-path": `url(#${clip})` });
    const axes = s("g", { class: "axes" });
    for (let value = this.low; value <= this.high + step / 2; value += step) {
      const words = this.unit === "time" ? trim((value / unitSize).toPrecision(6)) : axisWords[this.unit](Math.round(value));
      axes.append(s("line", { class: "grid", x1: this.left, x2: this.right, y1: this.y(value), y2: this.y(value) }),
        s("text", { x: this.left - 8, y: this.y(value) + 4, "text-anchor": "end" }, words));
    }
    const { ticks, unit: timeName } = timeTicks(lab.view.from, lab.view.to, (this.right - this.left) / 90);
    for (const [time, words] of ticks) {
      axes.append(s("line", { class: "tick", x1: this.x(time), x2: this.x(time), y1: this.bottom, y2: this.bottom + 4 }),
        s("text", { x: this.x(time), y: this.bottom + 16, "text-anchor": "middle" }, words));
    }
    axes.append(s("line", { class: "axis", x1: this.left, x2: this.right, y1: this.bottom, y2: this.bottom }),
      s("text", { class: "label", x: this.right, y: this.height - 3, "text-anchor": "end" }, `time (${timeName})`),
      s("text", { class: "label", transform: `translate(12 ${(this.bottom + 12) / 2}) rotate(-90)`, "text-anchor": "middle" },
        unit ? `${this.label} (${unit})` : this.label));
    this.cursor = s("line", { class: "cursor", y1: 8, y2: this.bottom });
    this.hair = s("line", { class: "hair", y1: 8, y2: this.bottom });
    this.hairTime = s("text", { class: "hairtime", y: this.bottom - 5 });
    this.selection = s("rect", { class: "selection", x: 0, y: 8, width: 0, height: this.bottom - 8 });
    this.svg.append(
      s("clipPath", { id: clip }, s("rect", { x: this.left, y: 0, width: Math.max(0, this.right - this.left), height: this.bottom + 1 })),
      this.bands, axes, this.plot, this.selection, this.cursor, this.hair, this.hairTime);
    this.draw(this);
    this.moveCursor();
  }

  moveCursor() {
    if (!this.cursor) return;
    const x = this.x(lab.time), seen = x >= this.left - 0.5 && x <= this.right + 0.5;
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.cursor.style.display = seen ? "" : "none";
    this.read();
  }

  // Says beside each name in the legend what its value is where the pointer is, or else at the moment that is shown.
  read() {
    if (!this.hair) return;
    const time = this.hover ?? lab.time, isHovering = this.hover !== null, x = this.x(time);
    for (const { element, at } of this.readings) element.textContent = at(time);
    for (const element of [this.hair, this.hairTime]) element.style.display = isHovering ? "" : "none";
    if (!isHovering) return;
    this.hair.setAttribute("x1", x);
    this.hair.setAttribute("x2", x);
    const isLate = x > (this.left + this.right) / 2;
    this.hairTime.setAttribute("x", x + (isLate ? -5 : 5));
    this.hairTime.setAttribute("text-anchor", isLate ? "end" : "start");
    this.hairTime.textContent = momentText(Math.round(time));
  }

  // A value as a reading has it.
  words(value) {
    return this.unit === "time" ? spanText(value) : grouped(value);
  }

  // MARK: What is seen

  // An entry of the legend, which hides and shows what it names; `at` tells its value at a time. Whether it is shown.
  entry(name, style, sample, at) {
    const shown = !this.hidden.has(name);
    const button = h("button", {
      type: "button", class: "entry", "aria-pressed": String(shown), title: shown ? `hide ${name}` : `show ${name}`,
      onclick: () => {
        if (shown) this.hidden.add(name); else this.hidden.delete(name);
        this.render();
        this.legend.querySelector(`[data-name="${name}"]`)?.focus();
      }, "data-name": name,
    }, s("svg", { width: 26, height: 12, "aria-hidden": "true" }, sample || s("path", { class: `line ${style}`, d: "M1 6H25" })), name);
    if (at && shown) {
      const element = h("span", { class: "reading" });
      button.append(" ", element);
      this.readings.push({ element, at });
    }
    this.legend.append(button);
    return shown;
  }

  // A line that keeps each value until the next. Values below 0 are gaps. `words` says more than a value, by its position.
  steps(name, style, times, values, words = (index) => this.words(values[index])) {
    const value = (time) => { const index = lastAtOrBefore(times, time); return index < 0 || values[index] < 0 ? "–" : words(index); };
    if (!this.entry(name, style, undefined, value)) return;
    const { from, to } = lab.view;
    let path = "", open = false, column = null, top, bottom, last;
    // What lies in one column of pixels is drawn once, from its least to its greatest.
    const finish = () => {
      if (column === null) return;
      path += open ? `H${column}` : `M${column} ${last}`;
      if (top !== bottom) path += `V${top}V${bottom}`;
      path += `V${last}`;
      open = true;
      column = null;
    };
    const first = Math.max(0, lastAtOrBefore(times, from));
    for (let index = first; index < times.length && (index === first || times[index - 1] <= to); index++) {
      if (values[index] < 0) { finish(); open = false; continue; }
      const x = Math.round(this.x(times[index]) * 2) / 2, y = Math.round(this.y(values[index]) * 10) / 10;
      if (x !== column) {
        finish();
        [column, top, bottom] = [x, y, y];
        // The value until here is part of the column, too.
        if (open) [top, bottom] = [Math.min(y, last), Math.max(y, last)];
      }
      [top, bottom, last] = [Math.min(top, y), Math.max(bottom, y), y];
    }
    finish();
    if (open && times.length && times.at(-1) <= to) path += `H${this.x(Math.min(to, duration)).toFixed(1)}`;
    this.plot.append(s("path", { class: `line ${style}`, d: path }));
  }

  // A colour of the bands behind, by name, once.
  bandName(style, words, at) {
    if (!this.legend.querySelector(".bandkeys")) {
      const element = h("span", { class: "reading" });
      this.legend.append(h("span", { class: "bandkeys" }, element));
      this.readings.push({ element, at });
    }
    const keys = this.legend.querySelector(".bandkeys");
    if (!keys.querySelector(`.${style}`)) keys.insertBefore(h("span", {}, h("i", { class: `swatch ${style}`, "aria-hidden": "true" }), words), keys.lastChild);
  }

  band(from, to, style, words) {
    const a = Math.max(this.left, this.x(from)), b = Math.min(this.right, this.x(to));
    if (b <= a) return;
    this.bands.append(s("rect", { class: `band ${style}`, x: a, y: 8, width: b - a, height: this.bottom - 8 }));
    if (words && b - a > 7 * words.length) this.bands.append(s("text", { class: "bandname", x: a + 4, y: 20 }, words));
  }

  // A cross where something died.
  cross(time, y, title) {
    const x = this.x(time);
    if (x < this.left || x > this.right) return;
    this.plot.append(s("path", { class: "cross", d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` }, s("title", {}, title)));
  }
}
