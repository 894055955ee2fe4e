// The nodes and links as they are at the moment shown: frames on their way, queues, how busy each direction is.

const topology = {
  // Which link's end each frame left from, in the order of departure, with sums for "how busy".
  lanes: links.map((link) => link.ends.map(() => ({ frames: [], departures: [], busy: [0] }))),
  longest: links.map(() => 0),
  queueTimes: links.map((link) => link.ends.map(() => ({ times: [], frames: [], bytes: [] }))),

  start() {
    for (let frame = 0; frame < frameCount; frame++) {
      const lane = this.lanes[frames.link[frame]]?.[frames.end[frame]];
      if (!lane) continue;
      lane.frames.push(frame);
      lane.departures.push(frames.departure[frame]);
      lane.busy.push(lane.busy.at(-1) + transmissionTime(frame));
      const way = frames.arrival[frame] - frames.departure[frame];
      this.longest[frames.link[frame]] = Math.max(this.longest[frames.link[frame]], way);
    }
    queues.time.forEach((time, index) => {
      const lane = this.queueTimes[queues.link[index]]?.[queues.end[index]];
      if (!lane) return;
      lane.times.push(time);
      lane.frames.push(queues.frames[index]);
      lane.bytes.push(queues.bytes[index]);
    });
    this.place();
    const redraw = soon(() => this.draw());
    new ResizeObserver(redraw).observe($("topology"));
    lab.on("time", () => this.move());
    lab.on("node", () => this.mark());
    lab.on("frame", () => this.mark());
    this.draw();
  },

  // Puts what others hang on (switches, routers, shared links) into columns by their distance from one end, and the hosts at
  // the sides; those that hang on the middle are above and below it.
  place() {
    const hubs = links.map((link, index) => link.ends.length > 2 ? index : -1).filter((index) => index >= 0);
    const count = nodes.length + hubs.length, near = Array.from({ length: count }, () => new Set());
    const join = (a, b) => { if (a !== b && near[a] && near[b]) { near[a].add(b); near[b].add(a); } };
    links.forEach((link, index) => {
      const hub = hubs.indexOf(index);
      if (hub >= 0) link.ends.forEach(([node]) => join(node, nodes.length + hub));
      else if (link.ends.length === 2) join(link.ends[0][0], link.ends[1][0]);
    });
    this.column = new Array(count);
    this.row = new Array(count).fill(0);
    this.hubs = hubs;
    let base = 0;
    for (let node = 0; node < count; node++) {
      if (this.column[node] === undefined) base = this.placePart(this.reach(node, near, () => true), near, base) + 1;
    }
    this.orderRows(near);
  },

  // What can be reached, nearest first, with its distance.
  reach(start, near, isWay) {
    const distance = new Map([[start, 0]]);
    for (const node of distance.keys()) {
      for (const next of [...near[node]].sort((a, b) => a - b)) if (!distance.has(next) && isWay(next)) distance.set(next, distance.get(node) + 1);
    }
    return distance;
  },

  // The last column that a connected part of the topology takes.
  placePart(part, near, base) {
    const members = [...part.keys()].sort((a, b) => a - b), isInner = (node) => near[node].size > 1;
    const inner = members.filter(isInner);
    if (!inner.length) {
      members.forEach((node, index) => { this.column[node] = base + Math.min(1, index); });
      return base + Math.min(1, members.length - 1);
    }
    const far = (node) => [...this.reach(node, near, isInner).keys()].at(-1);
    const one = far(inner[0]), other = far(one);
    // The end that is nearer to what was named first is at the left.
    const first = isInner(members[0]) ? members[0] : [...near[members[0]]][0];
    const fromOne = this.reach(one, near, isInner);
    const distance = fromOne.get(first) * 2 <= fromOne.get(other) ? fromOne : this.reach(other, near, isInner);
    const length = Math.max(...distance.values());
    let leftmost = 0;
    const leaves = members.filter((node) => !isInner(node));
    const place = new Map(distance);
    leaves.forEach((node, index) => {
      const at = distance.get([...near[node]][0]);
      const isLeft = length === 0 ? index < leaves.length / 2 : at === 0;
      const column = isLeft ? -1 : at === length ? length + 1 : at;
      leftmost = Math.min(leftmost, column);
      place.set(node, column);
    });
    for (const [node, column] of place) this.column[node] = base + column - leftmost;
    return base + Math.max(...place.values()) - leftmost;
  },

  orderRows(near) {
    this.columns = Array.from({ length: Math.max(...this.column) + 1 }, () => []);
    this.column.forEach((column, node) => this.columns[column].push(node));
    const weight = (node) => {
      const rows = [...near[node]].filter((other) => this.column[other] !== this.column[node]).map((other) => this.row[other]);
      return rows.length ? rows.reduce((a, b) => a + b, 0) / rows.length : 0;
    };
    for (let pass = 0; pass < 6; pass++) {
      for (const list of pass % 2 ? this.columns.slice().reverse() : this.columns) {
        const weights = new Map(list.map((node) => [node, weight(node)]));
        const sorted = list.slice().sort((a, b) => weights.get(a) - weights.get(b) || a - b);
        const inner = sorted.filter((node) => near[node].size > 1), outer = sorted.filter((node) => near[node].size <= 1);
        const [middle, sides] = inner.length ? [inner, outer] : [outer, []];
        middle.forEach((node, index) => { this.row[node] = index - (middle.length - 1) / 2; });
        const edge = (middle.length - 1) / 2;
        sides.forEach((node, index) => { this.row[node] = index % 2 ? edge + 1 + (index - 1) / 2 : -edge - 1 - index / 2; });
      }
    }
  },

  draw() {
    const svg = $("topology"), width = svg.clientWidth;
    if (!width) return;
    const low = Math.min(...this.row), high = Math.max(...this.row), rows = high - low + 1;
    const gap = rows <= 1 ? 0 : rows <= 3 ? 104 : rows <= 8 ? 80 : 58;
    this.notes = rows <= 3 ? 3 : rows <= 8 ? 1 : 0;
    const lines = Math.max(1, ...nodes.map((node) => Math.min(this.notes, node.interfaces.flatMap((one) => one.addresses).length)));
    const top = rows > 1 ? 44 : 78, height = top + (rows - 1) * gap + 48 + 13 * lines, margin = 78;
    this.spacing = this.columns.length > 1 ? (width - 2 * margin) / (this.columns.length - 1) : width;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    this.at = this.column.map((column, node) => [
      this.columns.length > 1 ? margin + column * this.spacing : width / 2, top + (this.row[node] - low) * gap,
    ]);
    this.moving = s("g");
    const wires = s("g"), places = s("g"), words = s("g");
    this.ends = [];
    this.words = [];
    links.forEach((link, index) => this.drawLink(link, index, wires, words));
    nodes.forEach((node, index) => places.append(this.drawNode(node, index)));
    svg.replaceChildren(wires, this.moving, words, places);
    this.mark();
    this.move();
  },

  // How many links lie between the same two columns.
  beside(link) {
    const columns = (one) => one.ends.map(([node]) => this.column[node]).sort((a, b) => a - b).join(" ");
    return links.filter((one) => columns(one) === columns(link)).length;
  },

  // Where a link's ends are; a link of more than two has a hub in their midst.
  drawLink(link, index, wires, places) {
    const points = link.ends.map(([node]) => this.at[node]);
    if (points.length < 2 || points.includes(undefined)) { this.ends[index] = []; return; }
    const isShared = points.length > 2;
    const middle = isShared ? this.at[nodes.length + this.hubs.indexOf(index)] : [0, 1].map((axis) => (points[0][axis] + points[1][axis]) / 2);
    this.ends[index] = points.map((point, end) => isShared ? [point, middle] : [point, points[1 - end]]);
    const about = `${link.name}: ${rateText(link.rate)}, ${spanText(link.delay)}, MTU ${link.mtu}${link.faults ? `, ${link.faults}` : ""}`;
    const group = s("g", { class: "link" }, s("title", {}, about));
    for (const point of isShared ? points : points.slice(0, 1)) {
      const to = isShared ? middle : points[1];
      group.append(s("line", { class: "wire", x1: point[0], y1: point[1], x2: to[0], y2: to[1] }));
    }
    if (isShared) group.append(s("circle", { class: "hub", cx: middle[0], cy: middle[1], r: 6 }));
    wires.append(group);
    if (this.spacing <= 84) return;
    const [x, y] = middle, faults = link.faults ? " ⚡" : "";
    const text = (style, dy, words) => s("text", { class: style, x, y: y + dy, "text-anchor": "middle" }, words);
    const isFlat = !isShared && this.beside(link) === 1 && Math.abs(points[0][1] - points[1][1]) < 30 && Math.abs(points[0][0] - points[1][0]) > 60;
    const isUpright = !isShared && Math.abs(points[0][0] - points[1][0]) < 30;
    const busy = points.map((_, end) => text("small busy", isFlat ? 22 + 13 * end : 14, ""));
    if (isUpright) {
      // Beside the link, below the words of the node above.
      const beside = (dy, words) => s("text", { class: "small", x: x + 14, y: y + dy, "text-anchor": "start" }, words);
      busy.splice(0, 2, beside(31, ""), beside(31, ""));
      places.append(s("g", { class: "halo" }, beside(18, `${rateText(link.rate)} · ${spanText(link.delay)}${faults}`), busy[0]));
    } else if (isFlat) places.append(text("linkname", -42, rateText(link.rate)), text("small", -29, spanText(link.delay) + faults), ...busy);
    else {
      // A slope has room for a line above and one below.
      places.append(s("g", { class: "halo" }, text("small", isShared ? -16 : -4, `${rateText(link.rate)} · ${spanText(link.delay)}${faults}`), isShared ? [] : busy[0]));
    }
    this.words[index] = isShared ? [] : isFlat ? busy : [busy[0], busy[0]];
  },

  drawNode(node, index) {
    const [x, y] = this.at[index];
    const group = s("g", {
      class: `node ${node.kind}`, transform: `translate(${x} ${y})`, tabindex: 0, role: "button",
      "aria-label": `${node.kind} ${node.name}`, "data-node": index,
      onclick: () => lab.selectNode(index),
      onkeydown: (event) => { if (event.key === "Enter") lab.selectNode(index); },
    });
    const shapes = {
      host: () => [s("rect", { class: "shape", x: -21, y: -16, width: 42, height: 27, rx: 4 }), s("path", { class: "detail", d: "M-9 16h18M0 11v5" })],
      router: () => [s("circle", { class: "shape", r: 19 }), s("path", { class: "detail", d: "M-12 -4h20m-5 -4l5 4l-5 4M12 5h-20m5 -4l-5 4l5 4" })],
      switch: () => [s("rect", { class: "shape", x: -22, y: -13, width: 44, height: 26, rx: 3 }),
        s("path", { class: "detail", d: "M-15 -4h26m-4 -3l4 3l-4 3M15 4h-26m4 -3l-4 3l4 3" })],
      tap: () => [s("rect", { class: "shape", x: -21, y: -16, width: 42, height: 27, rx: 4 }), s("path", { class: "detail", d: "M-11 -2h22m-7 -6v12" })],
      hub: () => [s("rect", { class: "shape", x: -22, y: -11, width: 44, height: 22, rx: 11 }), s("path", { class: "detail", d: "M-14 0h28" })],
    };
    group.append(...(shapes[node.kind] || shapes.host)(), s("text", { class: "name", y: 34, "text-anchor": "middle" }, node.name));
    if (this.spacing > 128 || this.columns.length < 2) {
      const lines = node.interfaces.flatMap((one) => one.addresses.map((address) => `${one.name} ${address}`));
      if (!lines.length && node.kind !== "host") lines.push(node.kind === "hub" ? "shared segment" : node.kind === "tap" ? "TAP device" : node.kind);
      if (node.faults) lines.push(`⚡ ${node.faults}`);
      lines.slice(0, this.notes).forEach((line, number) => {
        const words = number === this.notes - 1 && lines.length > this.notes ? number ? `and ${lines.length - number} more` : `${lines.length} addresses` : line;
        group.append(s("text", { class: "small", y: 49 + 13 * number, "text-anchor": "middle" }, words));
      });
    }
    group.append(s("title", {}, [`${node.kind} ${node.name}`, ...(node.faults ? [node.faults] : []), ...node.interfaces.map((one) => [one.name, one.mac, ...one.addresses].join(" "))].join("\n")));
    return group;
  },

  mark() {
    const from = lab.frame < 0 ? -1 : senderOf(lab.frame)[0];
    for (const group of $("topology").querySelectorAll(".node")) {
      const index = Number(group.dataset.node);
      group.classList.toggle("chosen", index === lab.node);
      group.classList.toggle("active", index === from);
    }
  },

  // The time of the last moments over which "how busy" is taken.
  get window() { return Math.max(duration / 40, 1e6); },

  busy(link, end) {
    const lane = this.lanes[link][end];
    const sum = (time) => {
      const index = lastAtOrBefore(lane.departures, time);
      if (index < 0) return 0;
      const frame = lane.frames[index];
      return lane.busy[index] + Math.min(transmissionTime(frame), time - frames.departure[frame]);
    };
    return Math.min(1, (sum(lab.time) - sum(lab.time - this.window)) / Math.min(this.window, Math.max(1, lab.time)));
  },

  move() {
    if (!this.moving) return;
    this.moving.replaceChildren();
    links.forEach((link, index) => {
      link.ends.forEach((_, end) => this.moveLane(link, index, end));
    });
  },

  moveLane(link, index, end) {
    const way = this.ends[index]?.[end];
    if (!way) return;
    const lane = this.lanes[index][end];
    this.tellBusy(link, index, end, way);
    // Both directions of a wire are drawn beside each other, as on a road.
    const [dx, dy] = [way[1][0] - way[0][0], way[1][1] - way[0][1]];
    const length = Math.hypot(dx, dy) || 1;
    const side = [-dy / length * 5, dx / length * 5];
    const trim = Math.min(0.3, 24 / length);
    const at = (part) => {
      const along = trim + (1 - (link.ends.length > 2 ? trim : 2 * trim)) * Math.max(0, Math.min(1, part));
      return [way[0][0] + dx * along + side[0], way[0][1] + dy * along + side[1]];
    };
    for (let number = lastAtOrBefore(lane.departures, lab.time); number >= 0; number--) {
      const frame = lane.frames[number];
      const since = lab.time - frames.departure[frame];
      const grave = duration / 100;
      if (since > this.longest[index] + grave) break;
      if (lab.time <= frames.arrival[frame]) this.drawFrame(frame, link, since, at);
      else if (isLost(frame) && lab.time < frames.arrival[frame] + grave) this.drawGrave(frame, link, at);
    }
    this.drawQueue(index, end, at(0.02), side);
  },

  // How busy a direction is; a slope has one line for both.
  tellBusy(link, index, end, way) {
    const words = this.words[index]?.[end];
    if (!words || link.rate <= 0) return;
    const isShort = this.words[index][0] === this.words[index][1];
    if (isShort && end > 0) return;
    const say = (one) => {
      const busy = this.busy(index, one), [from, to] = this.ends[index][one];
      return busy > 0.0005 ? `${from[0] <= to[0] ? "▸" : "◂"} ${(100 * busy).toFixed(busy < 0.0995 ? 1 : 0)} %` : "";
    };
    words.textContent = isShort ? `${say(0)} ${say(1)}`.trim() : say(end);
    words.classList.toggle("full", (isShort ? [0, 1] : [end]).some((one) => this.busy(index, one) > 0.9));
  },

  // From its first bit to its last.
  drawFrame(frame, link, since, at) {
    const sending = transmissionTime(frame), total = frames.arrival[frame] - frames.departure[frame];
    const flying = Math.max(1, isLost(frame) ? link.delay : total - sending);
    const a = at(Math.min(1, since / flying)), b = at(Math.max(0, (since - sending) / flying));
    const style = [isAgain(frame) ? "again" : "", lab.frame === frame ? "chosen" : ""].join(" ");
    this.moving.append(s("line", { class: `frame ${style}`, x1: a[0], y1: a[1], x2: b[0] + 0.01, y2: b[1] },
      s("title", {}, `${frames.layer[frame]} ${frames.text[frame]}`)));
    if (isLost(frame) && lab.time >= frames.arrival[frame]) this.drawGrave(frame, link, at);
  },

  drawGrave(frame, link, at) {
    const way = frames.arrival[frame] - frames.departure[frame] - transmissionTime(frame);
    const [x, y] = at(link.delay > 0 ? way / link.delay : 0.5);
    this.moving.append(s("path", { class: "cross big", d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12` }, s("title", {}, `lost: ${frames.lost[frame]}`)));
  },

  drawQueue(index, end, [x, y], side) {
    const lane = this.queueTimes[index][end];
    const at = lastAtOrBefore(lane.times, lab.time);
    const count = at < 0 ? 0 : lane.frames[at];
    if (!count) return;
    const dx = Math.sign(side[1]) || 0;
    y += side[1] + 1;
    for (let number = 0; number < Math.min(6, count); number++) {
      this.moving.append(s("rect", { class: "queued", x: x + dx * (2 + 6 * number) - 2, y: y + side[1] * 1.6 - 3, width: 4, height: 7 }));
    }
    this.moving.append(s("text", { class: "small", x: x + dx * (6 + 6 * Math.min(6, count)), y: y + side[1] * 1.6 + 4,
      "text-anchor": dx < 0 ? "end" : "start" }, `${count} wait`));
  },
};
