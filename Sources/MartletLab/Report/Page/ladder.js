// A flow as a ladder: time goes down, each frame from its first bit to its last, a cross where one died.

const ladder = {
  start() {
    this.svg = $("ladder");
    this.draw = soon(() => this.render());
    new ResizeObserver(this.draw).observe(this.svg.parentNode);
    for (const name of ["view", "flow", "tab"]) lab.on(name, this.draw);
    lab.on("frame", () => this.mark());
    lab.on("time", () => this.moveCursor());
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { from, to } = lab.view, time = this.timeAt(event.offsetY);
      if (event.ctrlKey) lab.zoom(event.deltaY > 0 ? 1.25 : 0.8, time);
      else lab.setView(from + (to - from) * event.deltaY / 1000, to + (to - from) * event.deltaY / 1000);
    }, { passive: false });
    this.svg.addEventListener("click", (event) => {
      if (event.target.closest("[data-frame]")) return;
      player.stop();
      lab.goToTime(this.timeAt(event.offsetY));
    });
  },

  timeAt(y) { return lab.view.from + (y - this.topY) / (this.bottomY - this.topY) * (lab.view.to - lab.view.from); },
  y(time) { return this.topY + (time - lab.view.from) / (lab.view.to - lab.view.from) * (this.bottomY - this.topY); },

  // The nodes that a flow's frames touch, from the client on.
  lanes(flow) {
    if (this.laneCache?.flow === flow) return this.laneCache.order;
    const near = new Map();
    for (const frame of flowFrames[flow]) {
      const [from] = senderOf(frame);
      for (const [to] of receiversOf(frame)) {
        if (!near.has(from)) near.set(from, new Set());
        if (!near.has(to)) near.set(to, new Set());
        near.get(from).add(to);
        near.get(to).add(from);
      }
    }
    const order = [], seen = new Set();
    const queue = near.has(flows[flow].client) ? [flows[flow].client] : [...near.keys()].slice(0, 1);
    queue.forEach((node) => seen.add(node));
    for (const node of queue) {
      order.push(node);
      for (const next of [...near.get(node)].sort((a, b) => a - b)) if (!seen.has(next)) { seen.add(next); queue.push(next); }
    }
    // The server stands at the right, whatever lies beside the way.
    const server = order.indexOf(flows[flow].server);
    if (server > 0) order.push(...order.splice(server, 1));
    this.laneCache = { flow, order };
    return order;
  },

  render() {
    if (lab.tab !== "ladder") return;
    const box = this.svg.parentNode, width = box.clientWidth, height = Math.max(300, box.clientHeight - 4);
    if (!width) return;
    this.topY = 38; this.bottomY = height - 12;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("height", height);
    if (lab.flow < 0) { this.svg.replaceChildren(s("text", { x: 20, y: 40 }, "There is no flow.")); return; }
    const lanes = this.lanes(lab.flow), left = 96, right = width - 40;
    const x = new Map(lanes.map((node, index) => [node, lanes.length > 1 ? left + index * (right - left) / (lanes.length - 1) : left]));
    const axes = s("g", { class: "axes" });
    const { ticks, unit } = timeTicks(lab.view.from, lab.view.to, (this.bottomY - this.topY) / 60);
    for (const [time, words] of ticks) {
      axes.append(s("line", { class: "grid", x1: left - 14, x2: right, y1: this.y(time), y2: this.y(time) }),
        s("text", { x: left - 20, y: this.y(time) + 4, "text-anchor": "end" }, words));
    }
    axes.append(s("text", { class: "label", x: 10, y: 15 }, `time (${unit})`));
    for (const [node, place] of x) {
      axes.append(s("line", { class: "lane", x1: place, x2: place, y1: this.topY, y2: this.bottomY }),
        s("text", { class: "name", x: place, y: 15, "text-anchor": "middle" }, nodeName(node)));
    }
    this.x = x;
    this.flights = s("g");
    this.overlay = s("g");
    this.cursor = s("line", { class: "cursor", x1: left - 14, x2: right });
    this.svg.replaceChildren(s("clipPath", { id: "ladder-clip" },
      s("rect", { x: 0, y: this.topY - 15, width, height: this.bottomY - this.topY + 19 })), axes,
    s("g", { "clip-path": "url(#ladder-clip)" }, this.flights, this.overlay), this.cursor);
    this.drawFrames();
    this.mark();
    this.moveCursor();
  },

  // Above this many frames in view, those of a kind are one shape and have no words.
  dense: 500,

  drawFrames() {
    const { from, to } = lab.view, seen = [];
    for (const frame of flowFrames[lab.flow]) {
      if (frames.departure[frame] > to) break;
      if (frames.arrival[frame] >= from) seen.push(frame);
    }
    const isDense = seen.length > this.dense;
    $("ladder-note").textContent = `${seen.length} frames in view${isDense ? ": come closer to read them" : ""}`;
    if (isDense) this.drawDense(seen);
    else {
      const labelled = this.labelled(seen);
      for (const frame of seen) this.flights.append(...this.flight(frame, labelled.has(frame)));
    }
  },

  // Where a frame's shape is: from the sender's lane to the receiver's, or as far as it came.
  places(frame) {
    const start = this.x.get(senderOf(frame)[0]), sending = transmissionTime(frame), link = links[frames.link[frame]];
    const departure = frames.departure[frame], arrival = frames.arrival[frame];
    return receiversOf(frame).map(([node]) => this.x.get(node)).filter((end) => start !== undefined && end !== undefined).map((end) => {
      const part = !isLost(frame) ? 1 : link.delay > 0 ? Math.min(1, Math.max(0.08, (arrival - departure - sending) / link.delay)) : 0.5;
      const [y0, y1, y2, y3] = [departure, arrival - sending, arrival, departure + sending].map((time) => this.y(time));
      return { start, end: start + (end - start) * part, part, y0, y1, y2, y3 };
    });
  },

  style(frame) { return isAgain(frame) ? "again" : segmentClass(frame); },

  drawDense(seen) {
    const edges = new Map(), crosses = [], drawn = new Set();
    for (const frame of seen) {
      const style = this.style(frame);
      for (const { start, end, part, y0, y1, y2 } of this.places(frame)) {
        if (isLost(frame)) crosses.push(this.grave(frame, end, y2, this.isRightward(start, end, part)));
        // Those that would lie on one another are drawn once.
        const place = `${style} ${start} ${end} ${Math.round(y0 / 3)}`;
        if (drawn.has(place)) continue;
        drawn.add(place);
        edges.set(style, `${edges.get(style) || ""}M${start} ${y0.toFixed(1)}L${end} ${y1.toFixed(1)}`);
      }
    }
    for (const [style, path] of edges) this.flights.append(s("path", { class: `flight dense ${style} edge`, d: path }));
    this.flights.append(...crosses.flat());
  },

  // Words stand where the way would have gone on, unless the next lane is near.
  isRightward(start, end, part) { return end > start === part < 0.6; },

  grave(frame, x, y, isRightward) {
    if (x > this.svg.clientWidth - 20 - 6 * frames.lost[frame].length) isRightward = false;
    return [s("path", { class: "cross big", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` }, s("title", {}, `lost: ${frames.lost[frame]}`)),
      s("text", { class: "small bad", x: x + (isRightward ? 10 : -10), y: y + 4, "text-anchor": isRightward ? "start" : "end" }, frames.lost[frame])];
  },

  // One shape for each receiver.
  flight(frame, isLabelled) {
    return this.places(frame).map(({ start, end, part, y0, y1, y2, y3 }) => {
      const group = s("g", { class: `flight ${this.style(frame)}`, "data-frame": frame, onclick: () => { player.stop(); this.choose(frame); } },
        s("title", {}, `${frames.layer[frame]} ${frames.text[frame]}\n${momentText(frames.departure[frame])} → ${momentText(frames.arrival[frame])}`
          + (isLost(frame) ? `\nlost: ${frames.lost[frame]}` : "")));
      if (y3 - y0 > 1.5) group.append(s("path", { class: "bits", d: `M${start} ${y0}L${end} ${y1}V${y2}L${start} ${y3}Z` }));
      group.append(s("line", { class: "edge", x1: start, y1: y0, x2: end, y2: y1 }), s("line", { class: "hit", x1: start, y1: (y0 + y3) / 2, x2: end, y2: (y1 + y2) / 2 }));
      if (isLost(frame)) group.append(...this.grave(frame, end, y2, this.isRightward(start, end, part)));
      else {
        const angle = Math.atan2(y1 - y0, end - start) * 180 / Math.PI;
        group.append(s("path", { class: "head", d: "M0 0l-8 -3.5v7Z", transform: `translate(${end} ${y2}) rotate(${angle})` }));
      }
      const words = isLabelled ? this.wordsAt(frame, { start, end, y0, y1, y2, y3 }) : null;
      if (words) this.label(group, words);
      return group;
    });
  },

  // The packet that is chosen stands above the others, on all its links.
  mark() {
    if (lab.tab !== "ladder" || !this.overlay) return;
    this.overlay.replaceChildren();
    if (lab.frame < 0 || lab.flow < 0 || frames.flow[lab.frame] !== lab.flow) return;
    for (const frame of hopsOf(lab.frame)) {
      for (const group of this.flight(frame, true)) { group.classList.add("chosen"); this.overlay.append(group); }
    }
  },

  // The frames that have room for words: above their arrow, and off the words of others.
  labelled(seen) {
    const before = new Map(), taken = new Map(), found = new Set();
    for (const frame of seen) {
      if (!isLost(frame)) continue;
      // Why it died stands beside the cross.
      const words = 6 * frames.lost[frame].length;
      for (const { start, end, part, y2 } of this.places(frame)) {
        const sign = this.isRightward(start, end, part) ? 1 : -1;
        if (!taken.has(frames.link[frame])) taken.set(frames.link[frame], []);
        taken.get(frames.link[frame]).push(...[0, 0.33, 0.67, 1].map((part) => [end + sign * (10 + part * words), y2]));
      }
    }
    for (const frame of seen) {
      const [place] = this.places(frame);
      if (!place || isLost(frame)) continue;
      const lane = `${frames.link[frame]} ${frames.end[frame]}`, y = place.y0;
      const isFree = y - (before.get(lane) ?? -99) >= 12;
      before.set(lane, y);
      if (!isFree) continue;
      const words = this.wordsAt(frame, place);
      if (!words) continue;
      if (!taken.has(frames.link[frame])) taken.set(frames.link[frame], []);
      const others = taken.get(frames.link[frame]);
      const points = [-1, -0.5, 0, 0.5, 1].map((part) => [words.x + part * words.width / 2 * words.dx, words.y + part * words.width / 2 * words.dy]);
      if (points.some(([x, y]) => others.some(([otherX, otherY]) => Math.abs(x - otherX) < 18 && Math.abs(y - otherY) < 11))) continue;
      others.push(...points);
      found.add(frame);
    }
    return found;
  },

  // What an arrow says, and where: nearer to its sender, so that those of the other direction have a place of their own.
  wordsAt(frame, { start, end, y0, y1, y2, y3 }) {
    const [from, to] = [(y0 + y3) / 2, (y1 + y2) / 2], length = Math.hypot(end - start, to - from);
    const words = ladderWords(frame), room = Math.floor((length * 0.72 - 12) / 6);
    if (room < 4) return null;
    const text = words.length > room ? `${words.slice(0, room - 1)}…` : words;
    const sign = end > start ? 1 : -1;
    return { text, width: text.length * 5.8, x: start + (end - start) * 0.4, y: from + (to - from) * 0.4, dx: sign * (end - start) / length, dy: sign * (to - from) / length };
  },

  label(group, { text, x, y, dx, dy }) {
    const angle = Math.atan2(dy, dx) * 180 / Math.PI;
    group.append(s("text", { class: "small", transform: `translate(${x} ${y}) rotate(${angle})`, y: -3, "text-anchor": "middle" }, text));
  },

  choose(frame) {
    const index = events.frame.indexOf(frame);
    if (index >= 0) lab.goTo(index); else { lab.selectFrame(frame); lab.goToTime(frames.departure[frame]); }
  },

  moveCursor() {
    if (!this.cursor || lab.tab !== "ladder") return;
    const y = this.y(lab.time);
    this.cursor.setAttribute("y1", y);
    this.cursor.setAttribute("y2", y);
    this.cursor.style.display = y < this.topY - 0.5 || y > this.bottomY + 0.5 ? "none" : "";
  },
};

// The colour of a frame that is no retransmission: what it carries.
function segmentClass(frame) {
  if (frames.layer[frame] === "UDP") return "data";
  if (frames.layer[frame] !== "TCP") return "other";
  return /SYN|FIN|RST/.test(frames.text[frame]) ? "control" : / bytes?(:|$)/.test(frames.text[frame]) ? "data" : "ack";
}

// What an arrow says: numbers of what it carries.
function ladderWords(frame) {
  const words = shortWords(frame);
  if (frames.layer[frame] !== "TCP") return words;
  switch (segmentClass(frame)) {
    case "data": return words.replace(/^(PSH )?ACK  /, "").replace(/  ack \d+/, "");
    case "ack": return words.replace(/^ACK  seq \d+  /, "");
    default: return words.replace(/  \[.*\]/, "");
  }
}

// A description without the ports and the window, which an arrow has no room for.
function shortWords(frame) {
  return frames.text[frame].replace(/^[\w.:]+ → [\w.:]+ +/, "").replace(/ +window \d+/, "").replace(/ {2,}/g, "  ");
}
