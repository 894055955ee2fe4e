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

  // Puts nodes into columns by their distance from one end of the longest way, and orders columns so that few links cross.
  place() {
    const near = nodes.map(() => []);
    links.forEach((link) => link.ends.forEach(([a]) => link.ends.forEach(([b]) => { if (a !== b && near[a]) near[a].push(b); })));
    const walk = (start, distance) => {
      const queue = [start];
      distance[start] = 0;
      let last = start;
      for (const node of queue) {
        last = node;
        for (const next of near[node]) if (distance[next] === undefined) { distance[next] = distance[node] + 1; queue.push(next); }
      }
      return last;
    };
    this.column = new Array(nodes.length);
    let base = 0;
    nodes.forEach((_, node) => {
      if (this.column[node] !== undefined) return;
      // The two ends of a longest way; the one that was named first is at the left.
      const one = walk(node, []), other = walk(one, []);
      const fromEnd = [];
      walk(Math.min(one, other), fromEnd);
      fromEnd.forEach((value, index) => { this.column[index] = base + value; });
      base += Math.max(...fromEnd.filter((value) => value !== undefined)) + 1;
    });
    this.columns = [];
    this.column.forEach((column, node) => { (this.columns[column] ||= []).push(node); });
    this.columns = Array.from(this.columns, (list) => list || []);
    this.row = [];
    for (let pass = 0; pass < 4; pass++) {
      for (const list of pass % 2 ? this.columns.slice().reverse() : this.columns) {
        const weight = (node) => {
          const rows = near[node].map((other) => this.row[other]).filter((row) => row !== undefined);
          return rows.length ? rows.reduce((a, b) => a + b, 0) / rows.length : this.row[node] ?? 0;
        };
        const weights = new Map(list.map((node) => [node, weight(node)]));
        list.sort((a, b) => weights.get(a) - weights.get(b) || a - b);
        list.forEach((node, index) => { this.row[node] = index - (list.length - 1) / 2; });
      }
    }
  },

  draw() {
    const svg = $("topology"), width = svg.clientWidth;
    if (!width) return;
    const rows = Math.max(...this.columns.map((list) => list.length), 1);
    const gap = rows > 1 ? 108 : 0;
    const notes = Math.max(...nodes.map((node) => Math.min(3, Math.max(1, node.interfaces.flatMap((one) => one.addresses).length))), 1);
    const height = Math.max(78 + 48 + 13 * notes, rows * 108 + 40);
    const margin = 78;
    const spacing = this.columns.length > 1 ? (width - 2 * margin) / (this.columns.length - 1) : 0;
    this.spacing = spacing;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    this.at = nodes.map((_, node) => [
      this.columns.length > 1 ? margin + this.column[node] * spacing : width / 2,
      (gap ? height / 2 - 24 : 78) + this.row[node] * gap,
    ]);
    this.moving = s("g");
    const lines = s("g"), places = s("g");
    this.ends = [];
    this.words = [];
    links.forEach((link, index) => this.drawLink(link, index, lines));
    nodes.forEach((node, index) => places.append(this.drawNode(node, index)));
    svg.replaceChildren(lines, this.moving, places);
    this.mark();
    this.move();
  },

  // Where a link's ends are; a link of more than two has a hub in their midst.
  drawLink(link, index, lines) {
    const points = link.ends.map(([node]) => this.at[node]).filter(Boolean);
    if (points.length < 2) { this.ends[index] = []; return; }
    const middle = [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
    this.ends[index] = points.map((point, end) => points.length === 2 ? [point, points[1 - end]] : [point, middle]);
    const group = s("g", { class: "link" });
    if (points.length === 2) group.append(s("line", { class: "wire", x1: points[0][0], y1: points[0][1], x2: points[1][0], y2: points[1][1] }));
    else {
      points.forEach((point) => group.append(s("line", { class: "wire", x1: point[0], y1: point[1], x2: middle[0], y2: middle[1] })));
      group.append(s("circle", { class: "hub", cx: middle[0], cy: middle[1], r: 5 }));
    }
    const about = `${link.name}: ${rateText(link.rate)}, ${spanText(link.delay)}, MTU ${link.mtu}${link.faults ? `, ${link.faults}` : ""}`;
    group.append(s("title", {}, about));
    if (this.spacing > 84 || points.length > 2) {
      const [x, y] = points.length > 2 ? [middle[0], middle[1] - 10] : middle;
      const steep = points.length === 2 && Math.abs(points[0][1] - points[1][1]) > 30;
      const anchor = steep ? "start" : "middle", dx = steep ? 12 : 0;
      group.append(s("text", { class: "linkname", x: x + dx, y: y - 42, "text-anchor": anchor }, rateText(link.rate)),
        s("text", { class: "small", x: x + dx, y: y - 29, "text-anchor": anchor }, spanText(link.delay) + (link.faults ? " ⚡" : "")));
      this.words[index] = points.length > 2 ? [] : points.map((point, end) => {
        const words = s("text", { class: "small busy", x: x + dx, y: y + 22 + 13 * end, "text-anchor": anchor });
        group.append(words);
        return words;
      });
    }
    lines.append(group);
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
      hub: () => [s("rect", { class: "shape", x: -22, y: -11, width: 44, height: 22, rx: 11 }), s("path", { class: "detail", d: "M-14 0h28" })],
    };
    group.append(...(shapes[node.kind] || shapes.host)(), s("text", { class: "name", y: 34, "text-anchor": "middle" }, node.name));
    if (this.spacing > 128 || this.columns.length < 2) {
      const lines = node.interfaces.flatMap((one) => one.addresses.map((address) => `${one.name} ${address}`));
      if (!lines.length && node.kind !== "host") lines.push(node.kind);
      lines.slice(0, 3).forEach((line, number) => {
        const words = number === 2 && lines.length > 3 ? `and ${lines.length - 2} more` : line;
        group.append(s("text", { class: "small", y: 49 + 13 * number, "text-anchor": "middle" }, words));
      });
    }
    group.append(s("title", {}, [`${node.kind} ${node.name}`, ...node.interfaces.map((one) => [one.name, one.mac, ...one.addresses].join(" "))].join("\n")));
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
    const words = this.words[index]?.[end];
    if (words) {
      const busy = link.rate > 0 ? this.busy(index, end) : 0;
      const rightward = way[0][0] <= way[1][0];
      words.textContent = busy > 0.0005 ? `${rightward ? "▸" : "◂"} ${(100 * busy).toFixed(busy < 0.0995 ? 1 : 0)} %` : "";
      words.classList.toggle("full", busy > 0.9);
    }
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
