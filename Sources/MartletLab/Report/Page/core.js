// What every view uses: the recording, the moment that is shown, and words for quantities.

const recording = JSON.parse(document.getElementById("recording").textContent);
const { nodes, links, flows, frames, events, kinds, tables, queues, counters } = recording;
const eventCount = events.time.length;
const frameCount = frames.link.length;
const lastEvent = eventCount ? events.time[eventCount - 1] : 0;
const duration = Math.max(1, recording.duration, lastEvent, frames.arrival.reduce((a, b) => Math.max(a, b), 0));

// The state of the page. `at` is the event that happened last, -1 before the first.
const lab = {
  time: 0, at: -1, frame: -1, flow: flows.length ? 0 : -1, node: 0, tab: "ladder", listeners: {},
  // What part of the run is in view: the ladder is read from near, graphs from afar.
  views: { near: { from: 0, to: duration }, far: { from: 0, to: duration } },

  get view() { return this.views[this.distance]; },
  get distance() { return this.tab === "ladder" ? "near" : "far"; },

  on(name, body) { (this.listeners[name] ||= []).push(body); },
  tell(name) { for (const body of this.listeners[name] || []) body(); },

  // Goes to an event, and takes its packet and flow along.
  goTo(index) {
    this.at = Math.max(-1, Math.min(eventCount - 1, index));
    this.time = this.at < 0 ? 0 : events.time[this.at];
    if (this.at >= 0) {
      if (events.frame[this.at] >= 0) this.selectFrame(events.frame[this.at]);
      this.selectNode(events.node[this.at]);
    }
    this.moved();
  },

  // Goes to a moment, in nanoseconds.
  goToTime(time) {
    this.time = Math.max(0, Math.min(duration, time));
    this.at = lastAtOrBefore(events.time, this.time);
    this.moved();
  },

  moved() {
    for (const [distance, { from, to }] of Object.entries(this.views)) {
      const width = to - from;
      if (this.time < from || this.time > to) this.setView(this.time - width * 0.25, this.time + width * 0.75, distance);
    }
    this.tell("time");
  },

  selectFrame(index) {
    if (index === this.frame) return;
    this.frame = index;
    if (frames.flow[index] >= 0) this.selectFlow(frames.flow[index]);
    this.tell("frame");
  },

  selectFlow(index) {
    if (index === this.flow) return;
    this.flow = index;
    this.tell("flow");
  },

  selectNode(index) {
    if (index === this.node) return;
    this.node = index;
    this.tell("node");
  },

  setView(from, to, distance = this.distance) {
    const width = Math.min(duration, Math.max(1000, to - from));
    from = Math.max(0, Math.min(duration - width, from));
    this.views[distance] = { from, to: from + width };
    if (distance === this.distance) this.tell("view");
  },

  zoom(factor, around = this.time) {
    const { from, to } = this.view;
    const center = around < from || around > to ? (from + to) / 2 : around;
    this.setView(center - (center - from) * factor, center + (to - center) * factor);
  },
};

// MARK: Lists in order

// The last position whose value is not above `value`; -1 if there is none.
function lastAtOrBefore(list, value) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle + 1; else high = middle;
  }
  return low - 1;
}

// MARK: Elements

// Makes an element of HTML: attributes, `on…` listeners, and children that are elements or text.
function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// The same of SVG.
function s(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const $ = (id) => document.getElementById(id);

// Runs `body` once before the next picture, however often it was asked for.
function soon(body) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; body(); });
  };
}

// MARK: Quantities in words

const timeUnits = [["s", 1e9], ["ms", 1e6], ["µs", 1e3], ["ns", 1]];

// The unit in which a span of nanoseconds reads well.
function timeUnit(span) {
  return timeUnits.find(([, size]) => span >= 2 * size) || timeUnits[3];
}

// A span of time: "20.06 ms".
function spanText(nanoseconds) {
  const [unit, size] = timeUnits.find(([, size]) => Math.abs(nanoseconds) >= size) || timeUnits[3];
  return `${trim((nanoseconds / size).toPrecision(4))} ${unit}`;
}

// A moment: seconds with all digits, in groups of three.
function momentText(nanoseconds) {
  const whole = Math.floor(nanoseconds / 1e9);
  const rest = String(Math.round(nanoseconds - whole * 1e9)).padStart(9, "0");
  return `${whole}.${rest.slice(0, 3)} ${rest.slice(3, 6)} ${rest.slice(6)} s`;
}

function trim(number) {
  return number.includes("e") ? String(Number(number)) : number.includes(".") ? number.replace(/\.?0+$/, "") : number;
}

function rateText(rate) {
  if (rate < 0) return "∞";
  const [unit, size] = [["Gbit/s", 1e9], ["Mbit/s", 1e6], ["kbit/s", 1e3], ["bit/s", 1]].find(([, size]) => rate >= size)
    || ["bit/s", 1];
  return `${trim((rate / size).toPrecision(4))} ${unit}`;
}

// A whole number with its thousands apart.
function grouped(value) { return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f"); }

function bytesText(count) {
  if (count >= 1 << 20) return `${trim((count / (1 << 20)).toPrecision(4))} MiB`;
  if (count >= 1 << 13) return `${trim((count / 1024).toPrecision(4))} KiB`;
  return count === 1 ? "1 byte" : `${count} bytes`;
}

// MARK: Frames

const senderOf = (frame) => links[frames.link[frame]]?.ends[frames.end[frame]] || [-1, -1];
const receiversOf = (frame) => (links[frames.link[frame]]?.ends || []).filter((_, end) => end !== frames.end[frame]);
const isLost = (frame) => frames.lost[frame] !== "" && !frames.lost[frame].startsWith("still ");
const isAgain = (frame) => frames.comment[frame].includes("retransmission");
const nodeName = (index) => nodes[index]?.name ?? "?";
const interfaceName = (node, index) => nodes[node]?.interfaces[index]?.name ?? "";

// How long the bits took to get onto the link; what is left of the way is propagation.
function transmissionTime(frame) {
  const link = links[frames.link[frame]];
  const way = frames.arrival[frame] - frames.departure[frame];
  if (!link || link.rate <= 0) return 0;
  const needed = frames.size[frame] * 8e9 / link.rate, rest = way - link.delay;
  // Preambles and check sequences take time as well; jitter does not.
  return Math.max(0, Math.min(way, Math.abs(rest - needed) < 0.1 * needed + 240e9 / link.rate ? rest : needed));
}

const nextHops = Array.from({ length: frameCount }, () => []);
for (let frame = 0; frame < frameCount; frame++) {
  if (frames.origin[frame] >= 0 && frames.origin[frame] < frame) nextHops[frames.origin[frame]].push(frame);
}

function rootOf(frame) {
  while (frames.origin[frame] >= 0 && frames.origin[frame] < frame) frame = frames.origin[frame];
  return frame;
}

// Every frame that carried a packet, in the order of departure.
function hopsOf(frame) {
  const found = [];
  const visit = (one) => { found.push(one); nextHops[one].forEach(visit); };
  visit(rootOf(frame));
  return found.sort((a, b) => a - b);
}

const flowFrames = flows.map(() => []);
frames.flow.forEach((flow, frame) => { if (flowFrames[flow]) flowFrames[flow].push(frame); });

// Whether something went wrong: a loss, a time-out, a repetition. What a host ignores because it is not for it is none of these.
function isTrouble(index, troubles = ["dropped", "lost", "fault", "timeout", "retransmitted", "collision"]) {
  return troubles.includes(kinds[events.kind[index]]) && !/not for us|unknown type/.test(events.text[index]);
}

// A packet's words are stored once, with the first frame that carried it.
frames.text.forEach((text, frame) => {
  const origin = frames.origin[frame];
  if (text === "" && origin >= 0 && origin < frame) [frames.text[frame], frames.layer[frame]] = [frames.text[origin], frames.layer[origin]];
});

// A kind of event has a sign and a colour; both say the same.
function kindStyle(kind) {
  switch (kind) {
    case "sent": return ["▸", "sent"];
    case "received": return ["◂", "received"];
    case "forwarded": return ["⇢", "forwarded"];
    case "dropped": case "lost": return ["✕", "dropped"];
    case "retransmitted": return ["↻", "again"];
    case "timeout": return ["◔", "again"];
    case "probe": return ["?", "again"];
    case "congestion": case "window": return ["▼", "state"];
    case "state": return ["◆", "state"];
    case "fault": case "collision": return ["⚡", "dropped"];
    case "deferred": return ["‖", "again"];
    case "tree": return ["△", "state"];
    case "said": return ["❝", "said"];
    case "route": return ["◇", "state"];
    default: return ["•", "other"];
  }
}
