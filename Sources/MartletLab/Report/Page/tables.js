// A node's tables as they are at the moment shown, and why a packet takes the row it takes.

const tableKinds = [
  ["routes", "Routes", "no routes"], ["neighbors", "Neighbours", "no neighbours"],
  ["stations", "Stations (MAC table)", "no station has been heard"],
  ["ports", "Ports (spanning tree)", "no ports"], ["sockets", "Sockets (demultiplexing)", "no sockets"],
];

// A node's tables of a kind, kept as changes; each look goes on from the one before if it can.
class TableHistory {
  constructor() { this.changes = []; this.rewind(); }

  rewind() { this.next = 0; this.rows = []; this.before = []; }

  // The table at a time, and the rows it had before it last changed; null if there was none yet.
  at(time) {
    if (this.next > 0 && tables.time[this.changes[this.next - 1]] > time) this.rewind();
    for (; this.next < this.changes.length && tables.time[this.changes[this.next]] <= time; this.next++) {
      const change = this.changes[this.next];
      this.before = this.next ? this.rows.slice() : null;
      this.rows.splice(tables.start[change], tables.removed[change], ...tables.added[change]);
    }
    if (!this.next) return null;
    const change = this.changes[this.next - 1], texts = (rows) => rows && rows.map((row) => tables.rows[row]);
    return { time: tables.time[change], columns: tables.names[tables.columns[change]], rows: texts(this.rows), before: texts(this.before) };
  }
}

const tableHistories = new Map();
tables.time.forEach((_, change) => {
  const key = `${tables.node[change]} ${tables.kind[change]}`;
  if (!tableHistories.has(key)) tableHistories.set(key, new TableHistory());
  tableHistories.get(key).changes.push(change);
});

const tableView = {
  question: "", asked: false,

  start() {
    $("table-node").append(...nodes.map((node, index) => h("option", { value: index }, node.name)));
    $("table-node").addEventListener("change", () => lab.selectNode(Number($("table-node").value)));
    $("question").addEventListener("input", () => { this.question = $("question").value.trim(); this.asked = this.question !== ""; this.render(); });
    this.draw = soon(() => this.render());
    for (const name of ["time", "node", "frame", "tab"]) lab.on(name, this.draw);
    this.render();
  },

  // The destination that is asked about: typed, or that of the packet chosen.
  subject() {
    if (this.asked) return { address: this.question, mac: this.question, typed: true };
    if (lab.frame < 0) return null;
    const bytes = bytesOf(lab.frame), layers = dissect(bytes);
    const internet = layers.find((layer) => layer.destination), transport = layers.find(({ name }) => name === "TCP" || name === "UDP");
    const asked = layers.find(({ name }) => name === "ARP")?.fields.find(({ name }) => name === "target address")?.text;
    const ethernet = layers.find(({ name }) => name === "Ethernet");
    return {
      address: internet?.destination ?? asked, source: internet?.source, mac: ethernet ? macText(bytes, 0) : undefined,
      protocol: transport?.name, port: transport?.values["destination port"], sourcePort: transport?.values["source port"],
    };
  },

  render() {
    if (lab.tab !== "tables") return;
    $("table-node").value = lab.node;
    const subject = this.subject(), boxes = [];
    if (!this.asked) $("question").placeholder = subject?.address ?? subject?.mac ?? "192.0.2.1";
    let nextHop = subject?.address;
    for (const [kind, title, empty] of tableKinds) {
      const history = tableHistories.get(`${lab.node} ${kind}`);
      if (!history) continue;
      const table = history.at(lab.time);
      const verdicts = table && subject ? this.why(kind, table, subject, nextHop) : null;
      if (kind === "routes" && verdicts) nextHop = verdicts.nextHop ?? nextHop;
      boxes.push(this.table(title, empty, table, verdicts));
    }
    $("tables").replaceChildren(...(boxes.length ? boxes : [h("p", { class: "quiet" }, `${nodeName(lab.node)} has told of no tables.`)]));
  },

  // Spans of time read as everywhere else.
  cell(text) {
    const span = /^([\d.e+-]+) seconds$/.exec(text);
    return span ? spanText(Number(span[1]) * 1e9) : text;
  },

  // Rows beyond this many are counted, not shown, except the one that is taken.
  most: 200,

  table(title, empty, table, verdicts) {
    const before = table?.before, known = new Set((before || []).map((row) => row.join("\u0000")));
    const shown = (_, index) => index < this.most || index === verdicts?.winner;
    const body = table?.rows.length
      ? h("table", {},
        h("thead", {}, h("tr", {}, table.columns.map((name) => h("th", { scope: "col" }, name)), verdicts ? h("th", { scope: "col" }, "why") : null)),
        h("tbody", {}, table.rows.map((row, index) => shown(row, index) && h("tr", {
          class: [before && !known.has(row.join("\u0000")) ? "fresh" : "", verdicts?.winner === index ? "winner" : ""].join(" "),
        }, row.map((cell) => h("td", {}, this.cell(cell))), verdicts ? h("td", { class: "why" }, verdicts.winner === index ? "▶ " : "", verdicts.words[index]) : null)).filter(Boolean)),
        table.rows.length > this.most ? h("caption", {}, `the first ${this.most} of ${table.rows.length} rows`) : null)
      : h("p", { class: "quiet" }, empty);
    return h("section", { class: "tablebox" },
      h("h3", {}, title, h("small", {}, table ? ` since ${momentText(table.time)}` : " not yet")), h("div", { class: "scroll" }, body),
      verdicts?.summary ? h("p", { class: "quiet" }, verdicts.summary) : null);
  },

  why(kind, table, subject, nextHop) {
    const column = (pattern) => table.columns.findIndex((name) => pattern.test(name));
    if (kind === "routes") return this.whyRoute(table, subject, column);
    if (kind === "neighbors") return this.whyEqual(table, column(/address|neighbo|^ip$/i), nextHop, "the next hop");
    if (kind === "stations") return this.whyEqual(table, column(/mac|station|address/i), subject.mac, "the frame's destination");
    return subject.typed ? null : this.whySocket(table, subject, column);
  },

  whyEqual(table, column, wanted, what) {
    if (column < 0 || !wanted) return null;
    const winner = table.rows.findIndex((row) => row[column].toLowerCase() === wanted.toLowerCase());
    return { winner, words: table.rows.map((_, index) => index === winner ? `is ${what}` : "is another"), summary: winner < 0 ? `${wanted}, ${what}, is not here.` : "" };
  },

  // The longest prefix wins, and of equals the smallest metric.
  whyRoute(table, subject, column) {
    const address = parseAddress(subject.address ?? "");
    const place = Math.max(0, column(/destination|prefix|network/i)), metric = column(/metric|cost/i), gateway = column(/gateway|via|next/i);
    if (!address) return null;
    const matches = table.rows.map((row) => {
      const [text, length] = row[place].replace(/^default$/, address.length === 32 ? "0.0.0.0/0" : "::/0").split("/");
      const block = parseAddress(text);
      if (!block || block.length !== address.length) return null;
      const bits = length === undefined ? block.length : Number(length);
      return block.bits.slice(0, bits) === address.bits.slice(0, bits) ? bits : -1;
    });
    const cost = (index) => metric < 0 ? 0 : Number(table.rows[index][metric]) || 0;
    let winner = -1;
    matches.forEach((bits, index) => {
      if (bits === null || bits < 0) return;
      if (winner < 0 || bits > matches[winner] || bits === matches[winner] && cost(index) < cost(winner)) winner = index;
    });
    const words = matches.map((bits, index) => {
      if (bits === null) return "of another version of IP";
      if (bits < 0) return "does not contain it";
      if (index === winner) return bits === 0 ? "the way of all that nothing else contains" : `contains it, longest prefix: ${bits} bits`;
      return bits < matches[winner] ? `contains it, but ${bits} bits are less than ${matches[winner]}` : "as long, but its metric is not smaller";
    });
    const hop = winner >= 0 && gateway >= 0 ? parseAddress(table.rows[winner][gateway].split(" ").at(-1)) : null;
    return { winner, words, nextHop: hop ? table.rows[winner][gateway].split(" ").at(-1) : subject.address, summary: `for ${subject.address}${winner < 0 ? ": no route" : ""}` };
  },

  // The most specific socket wins: both ends, then the local address and port, then the port alone.
  whySocket(table, subject, column) {
    const local = column(/local/i), remote = column(/remote|peer|foreign/i), protocol = column(/protocol|transport|kind/i);
    if (local < 0 || !subject.port) return null;
    const split = (text) => { const at = text.lastIndexOf(":"); return [text.slice(0, at).replace(/^\[|\]$/g, ""), text.slice(at + 1)]; };
    const isAny = (address) => ["*", "0.0.0.0", "::", ""].includes(address);
    const scores = table.rows.map((row) => {
      if (protocol >= 0 && !row[protocol].toUpperCase().replace(/^LISTENER/, "TCP").startsWith(subject.protocol)) return [-1, "another protocol"];
      const [address, port] = split(row[local]);
      if (port !== String(subject.port)) return [-1, `another port than ${subject.port}`];
      if (!isAny(address) && address !== subject.address) return [-1, "another local address"];
      const [far, farPort] = remote < 0 ? ["*", "*"] : split(row[remote]);
      if (isAny(far)) return isAny(address) ? [1, "its port matches"] : [2, "its address and port match"];
      return far === subject.source && farPort === String(subject.sourcePort) ? [3, "all five values match"] : [-1, "another remote end"];
    });
    const best = Math.max(...scores.map(([score]) => score));
    const winner = best < 0 ? -1 : scores.findIndex(([score]) => score === best);
    return { winner, words: scores.map(([score, words], index) => score > 0 && index !== winner ? `${words}, but another is more specific` : words),
      summary: `for ${subject.protocol} ${subject.source}:${subject.sourcePort} > ${subject.address}:${subject.port}` };
  },
};

// The bits of an address as text, or null.
function parseAddress(text) {
  const v4 = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (v4) return { length: 32, bits: v4.slice(1).map((part) => Number(part).toString(2).padStart(8, "0")).join("") };
  if (!/^[0-9a-f:]+$/i.test(text) || !text.includes(":") || text.length > 39) return null;
  const [head, tail] = text.split("::").map((part) => part ? part.split(":") : []);
  const words = tail === undefined ? head : [...head, ...new Array(Math.max(0, 8 - head.length - tail.length)).fill("0"), ...tail];
  if (words.length !== 8) return null;
  return { length: 128, bits: words.map((word) => parseInt(word || "0", 16).toString(2).padStart(16, "0")).join("") };
}

// MARK: Counters

const counterView = {
  start() {
    const names = [...new Set(counters.map(({ name }) => name))];
    if (!names.length) { $("counters").append(h("p", { class: "quiet" }, "Nothing was counted.")); return; }
    const used = nodes.map((_, index) => index).filter((index) => counters.some(({ node }) => node === index));
    const value = (name, node) => counters.find((counter) => counter.name === name && counter.node === node)?.value;
    const isCopy = (name) => /cop(y|ied|ies)/i.test(name);
    const rows = (list) => list.map((name) => h("tr", {}, h("th", { scope: "row" }, name),
      used.map((node) => h("td", { class: "number" }, grouped(value(name, node) ?? "–")))));
    const table = (title, list) => list.length ? [h("h3", {}, title), h("div", { class: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "at the end of the run"), used.map((node) => h("th", { scope: "col", class: "number" }, nodeName(node))))),
      h("tbody", {}, rows(list))))] : [];
    $("counters").append(...table("Copies", names.filter(isCopy)), ...table("Counters", names.filter((name) => !isCopy(name))));
  },
};
