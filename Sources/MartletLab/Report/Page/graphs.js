// The graphs of a flow: sequence numbers, windows, round trips, buffers; and the queues of the links.

const graphs = {
  start() {
    this.charts = { sequence: [], windows: [], queues: [] };
    this.draw = soon(() => this.render());
    for (const name of ["view", "tab"]) lab.on(name, this.draw);
    lab.on("flow", () => { this.traceCache = null; this.draw(); });
    lab.on("time", () => { for (const chart of this.charts[lab.tab] || []) chart.moveCursor(); });
    this.sequence();
    this.windows();
    this.queues();
    for (const tab of Object.keys(this.charts)) new ResizeObserver(this.draw).observe($(`panel-${tab}`));
  },

  render() {
    for (const chart of this.charts[lab.tab] || []) chart.render();
    if (lab.tab === "sequence") $("sequence-note").textContent = this.trace().note;
    if (lab.tab === "windows") $("windows-note").textContent = this.samples().time.length ? "" : "Nothing was measured of this flow's senders.";
    if (lab.tab === "queues") $("queues-note").textContent = this.charts.queues.length ? "" : "No frame ever waited.";
  },

  // MARK: Time and sequence

  // A direction of the flow as its sender saw it: what it sent, and what came back.
  trace() {
    const fromClient = this.fromClient();
    if (this.traceCache?.flow === lab.flow && this.traceCache.fromClient === fromClient) return this.traceCache;
    const trace = { flow: lab.flow, fromClient, segments: [], acks: { time: [], value: [] }, edges: { time: [], value: [] }, note: "", top: 1 };
    this.traceCache = trace;
    if (lab.flow < 0 || flows[lab.flow].transport !== "TCP") { trace.note = "A time-sequence graph needs a TCP flow."; return trace; }
    const sender = fromClient ? flows[lab.flow].client : flows[lab.flow].server;
    const dead = new Set(flowFrames[lab.flow].filter(isLost).map(rootOf));
    const sightings = [];
    for (const frame of flowFrames[lab.flow]) {
      if (senderOf(frame)[0] === sender && frames.origin[frame] < 0) sightings.push([frames.departure[frame], frame, false]);
      else if (!isLost(frame) && receiversOf(frame).some(([node]) => node === sender)) sightings.push([frames.arrival[frame], frame, true]);
    }
    sightings.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let first = null, highest = 0, scale = 1;
    for (const [time, frame, arrives] of sightings) {
      const segment = segmentOf(frame);
      if (!segment) continue;
      if (arrives) {
        if (segment.scale !== null) scale = segment.scale;
        if (first === null || !(segment.flags & 16)) continue;
        const value = segment.acknowledgment - first >>> 0;
        trace.acks.time.push(time); trace.acks.value.push(value);
        trace.edges.time.push(time); trace.edges.value.push(value + segment.window * (segment.flags & 2 ? 1 : scale));
      } else {
        first ??= segment.sequence;
        if (!segment.count) continue;
        const from = segment.sequence - first >>> 0, to = from + segment.count;
        trace.segments.push({ time, frame, from, to, again: from < highest, dead: dead.has(rootOf(frame)) });
        highest = Math.max(highest, to);
      }
    }
    trace.top = highest;
    return trace;
  },

  // The direction that was chosen, or the one with more bytes.
  fromClient() {
    const choice = $("direction").value;
    if (choice !== "auto" || lab.flow < 0) return choice === "client";
    const bytes = { true: 0, false: 0 };
    for (const frame of flowFrames[lab.flow]) if (frames.origin[frame] < 0) bytes[senderOf(frame)[0] === flows[lab.flow].client] += frames.size[frame];
    return bytes.true >= bytes.false;
  },

  sequence() {
    $("direction").addEventListener("change", () => this.render());
    this.charts.sequence.push(new Chart($("sequence-chart"), {
      title: "Time and sequence numbers, as the sender saw them", unit: "bytes", label: "sequence number", height: 420,
      top: () => {
        const seen = this.trace().segments.filter(({ time }) => time >= lab.view.from && time <= lab.view.to);
        return seen.length ? [Math.min(...seen.map(({ from }) => from)), Math.max(...seen.map(({ to }) => to)) + 1] : this.trace().top;
      },
      draw: (chart) => this.drawSequence(chart),
    }));
  },

  drawSequence(chart) {
    const trace = this.trace();
    const bars = (name, style, list, decorate) => {
      if (!list.length) return;
      const times = list.map(({ time }) => time);
      const last = (time) => { const one = list[lastAtOrBefore(times, time)]; return one ? `${grouped(one.from)}…${grouped(one.to - 1)}` : "–"; };
      if (!chart.entry(name, style, s("path", { class: `line ${style}`, d: "M13 1V11M10 1H16M10 11H16" }), last)) return;
      let path = "";
      for (const { time, from, to } of list) {
        if (time < lab.view.from || time > lab.view.to) continue;
        const x = chart.x(time).toFixed(1), a = chart.y(from).toFixed(1), b = chart.y(to).toFixed(1);
        path += `M${x} ${a}V${b}`;
        if (a - b > 5) path += `M${x - 2.5} ${a}h5M${x - 2.5} ${b}h5`;
      }
      chart.plot.append(s("path", { class: `line ${style}`, d: path }));
      list.forEach((one) => decorate?.(one));
    };
    chart.steps("window's edge", "edge", trace.edges.time, trace.edges.value);
    chart.steps("acknowledged", "acks", trace.acks.time, trace.acks.value);
    bars("segment", "data", trace.segments.filter(({ again, dead }) => !again && !dead));
    bars("sent again ◆", "again", trace.segments.filter(({ again }) => again), ({ time, from, to }) => {
      const x = chart.x(time), y = chart.y((from + to) / 2);
      chart.plot.append(s("path", { class: "diamond", d: `M${x} ${y - 5}l5 5l-5 5l-5 -5Z` }));
    });
    bars("lost ✕", "lost", trace.segments.filter(({ dead }) => dead), ({ time, from, to, frame }) => {
      chart.cross(time, chart.y((from + to) / 2), `lost: ${hopsOf(frame).map((hop) => frames.lost[hop]).join("")}`);
    });
  },

  // MARK: Windows

  // What the sender of the direction that is looked at noted; what the other did if it noted nothing.
  samples() {
    const none = { time: [], phase: [] };
    if (lab.flow < 0) return none;
    if (this.sampleCache?.flow === lab.flow && this.sampleCache.choice === $("direction").value) return this.sampleCache;
    const all = flows[lab.flow].samples, names = Object.keys(all), chosen = this.fromClient() ? 1 : 0;
    const wanted = all.client.includes(chosen) ? chosen : 1 - chosen;
    const of = (side) => {
      const kept = all.client.map((_, index) => index).filter((index) => all.client[index] === side);
      return Object.fromEntries(names.map((name) => [name, kept.map((index) => all[name][index])]));
    };
    this.sampleCache = of(wanted);
    // A connection that is over has no window, and what was not measured yet is nothing.
    for (const name of ["cwnd", "rtt"]) this.sampleCache[name] = this.sampleCache[name].map((value) => value || -1);
    return Object.assign(this.sampleCache, {
      other: of(1 - wanted), flow: lab.flow, choice: $("direction").value, node: wanted ? flows[lab.flow].client : flows[lab.flow].server });
  },

  most(chart, entries) {
    let most = 1;
    for (const [name, column, , isOther] of entries) {
      const samples = isOther ? this.samples().other ?? this.samples() : this.samples();
      if (chart.hidden.has(name) || !samples[column]) continue;
      const first = Math.max(0, lastAtOrBefore(samples.time, lab.view.from)), last = lastAtOrBefore(samples.time, lab.view.to);
      for (let index = first; index <= last; index++) most = Math.max(most, samples[column][index]);
    }
    return most;
  },

  windows() {
    const panel = (title, unit, label, entries) => {
      const chart = new Chart($("windows-charts"), {
        title, unit, label, height: 210, top: (chart) => this.most(chart, entries),
        draw: (chart) => {
          const samples = this.samples();
          for (const [name, column, style, isOther] of entries) {
            const whose = isOther ? samples.other : samples;
            if (whose?.[column]) chart.steps(name, style, whose.time, whose[column]);
          }
          this.losses(chart);
          this.phases(chart, samples);
        },
      });
      this.charts.windows.push(chart);
      return chart;
    };
    const windows = panel("Windows", "bytes", "window", [
      ["cwnd", "cwnd", "a"], ["ssthresh", "ssthresh", "b"], ["receive window", "window", "c"], ["in flight", "flight", "d"],
    ]);
    // A receive window that never limits would make everything else flat.
    const choose = () => {
      const { cwnd = [], window = [] } = this.samples();
      const most = (list) => list.reduce((a, b) => Math.max(a, b), 0);
      const limits = most(window) <= 4 * most(cwnd) || window.some((value, index) => value < cwnd[index]);
      if (!limits) windows.hidden.add("receive window"); else windows.hidden.delete("receive window");
    };
    lab.on("flow", choose);
    choose();
    panel("Round trip and time-out", "time", "time", [["RTT", "rtt", "a"], ["RTO", "rto", "b"]]);
    panel("Buffers", "bytes", "waiting", [["sender's send buffer", "sendQueue", "a"], ["receiver's receive buffer", "receiveQueue", "b", true]]);
  },

  phases(chart, samples) {
    for (let index = 0; index < samples.time.length;) {
      let next = index;
      while (next < samples.time.length && samples.phase[next] === samples.phase[index]) next++;
      const end = next < samples.time.length ? samples.time[next] : duration, phase = samples.phase[index];
      const style = `phase-${phase.replace(/ /g, "-")}`;
      chart.band(samples.time[index], end, style, phase);
      chart.bandName(style, phase, (time) => { const at = lastAtOrBefore(samples.time, time); return at < 0 ? "" : `now ${samples.phase[at]}`; });
      index = next;
    }
  },

  losses(chart) {
    if (lab.flow < 0) return;
    const dead = flowFrames[lab.flow].filter(isLost);
    if (!dead.length || !chart.entry("lost ✕", "lost", s("path", { class: "cross", d: "M9 2l8 8m0 -8l-8 8" }))) return;
    for (const frame of dead) chart.cross(frames.arrival[frame], 32, `lost: ${frames.lost[frame]}`);
  },

  // MARK: Queues

  queues() {
    links.forEach((link, index) => link.ends.forEach(([node, number], end) => {
      const lane = topology.queueTimes[index][end];
      if (!lane.times.length) return;
      const drops = topology.lanes[index][end].frames.filter((frame) => isLost(frame));
      this.charts.queues.push(new Chart($("queues-charts"), {
        title: `${nodeName(node)} ${interfaceName(node, number)} onto ${link.name}`, unit: "count", label: "frames", height: 150,
        top: () => {
          const first = Math.max(0, lastAtOrBefore(lane.times, lab.view.from)), last = lastAtOrBefore(lane.times, lab.view.to);
          let most = 1;
          for (let at = first; at <= last; at++) most = Math.max(most, lane.frames[at]);
          return most;
        },
        draw: (chart) => {
          chart.steps("waiting", "a", lane.times, lane.frames, (index) => `${lane.frames[index]}, ${bytesText(lane.bytes[index])}`);
          if (drops.length && chart.entry("lost ✕", "lost", s("path", { class: "cross", d: "M9 2l8 8m0 -8l-8 8" }))) {
            for (const frame of drops) chart.cross(frames.arrival[frame], 18, `lost: ${frames.lost[frame]}`);
          }
        },
      }));
    }));
  },
};
