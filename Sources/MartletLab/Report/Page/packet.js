// A packet: on each link how its headers nest, what changed since the link before, and each header in rows of 32 bits.

const packetView = {
  // Which header is drawn: the network's, until another is chosen.
  layer: 1,

  start() {
    for (const name of ["frame", "tab"]) lab.on(name, () => this.render());
    this.render();
  },

  render() {
    if (lab.tab !== "packet") return;
    const box = $("packet");
    if (lab.frame < 0) { box.replaceChildren(h("p", { class: "quiet" }, "Choose an event with a packet, or an arrow of the ladder.")); return; }
    const hops = hopsOf(lab.frame), layers = dissect(bytesOf(lab.frame));
    this.layer = Math.min(this.layer, layers.length - 1);
    box.replaceChildren(
      h("h3", {}, `${frames.layer[lab.frame]} `, h("span", { class: "words" }, frames.text[lab.frame])),
      h("div", { class: "packetcolumns" }, h("div", { class: "hops" }, hops.map((hop) => this.hop(hop))),
        h("div", { class: "anatomy" }, this.header(layers[this.layer]), this.dump(layers))));
  },

  // One link of the packet's way: its headers as boxes in boxes, and what is not as before.
  hop(frame) {
    const layers = dissect(bytesOf(frame)), [node, number] = senderOf(frame);
    const changes = this.changes(frame, layers);
    const changed = new Set(changes.map(({ layer }) => layer));
    let nest = null;
    layers.slice().reverse().forEach((layer, back) => {
      const index = layers.length - 1 - back;
      const size = index === layers.length - 1 ? frames.size[frame] - layer.start : layer.end - layer.start;
      const button = h("button", {
        type: "button", class: `header ${layer.letter} ${frame === lab.frame && index === this.layer ? "chosen" : ""}`,
        onclick: () => { this.layer = index; lab.frame = frame; lab.tell("frame"); },
        title: `${layer.name}, ${bytesText(size)}`,
      }, h("span", {}, h("b", {}, layer.letter), ` ${layer.name}`), h("small", {}, bytesText(size)), changed.has(layer.name) ? h("i", { title: "changed on the way" }, "●") : null);
      nest = h("div", { class: "nest" }, button, nest);
    });
    const lost = isLost(frame);
    return h("section", { class: `hop ${frame === lab.frame ? "chosen" : ""}` },
      h("div", { class: "way" },
        h("b", {}, `${nodeName(node)} ${interfaceName(node, number)} → ${receiversOf(frame).map(([other]) => nodeName(other)).join(", ")}`),
        h("span", {}, ` left ${momentText(frames.departure[frame])}`),
        frames.departure[frame] > frames.queued[frame] ? h("span", {}, `, having waited ${spanText(frames.departure[frame] - frames.queued[frame])}`) : null,
        h("span", {}, lost ? `, died ${momentText(frames.arrival[frame])}` : `, arrived ${momentText(frames.arrival[frame])}`),
        lost ? h("strong", { class: "bad" }, ` ✕ lost: ${frames.lost[frame]}`) : null,
        h("em", {}, ` ${frames.comment[frame].replace(/(; )?lost: .*/, "")}`)),
      nest,
      frames.origin[frame] < 0 ? null : h("p", { class: "changes" }, changes.length ? [h("i", { "aria-hidden": "true" }, "● "), changes.flatMap((change, index) => [
        index ? "; " : null, `${change.layer} ${change.name} `, h("s", {}, change.before), " → ", h("b", {}, change.after),
      ])] : "as it came: not a bit has changed"));
  },

  // The fields that are not what they were on the link before.
  changes(frame, layers) {
    const origin = frames.origin[frame];
    if (origin < 0) return [];
    const before = dissect(bytesOf(origin)), changes = [];
    layers.forEach((layer) => {
      const old = before.find(({ name }) => name === layer.name);
      layer.fields.forEach((field) => {
        const was = old?.fields.find(({ name }) => name === field.name);
        if (!was || was.text !== field.text) changes.push({ layer: layer.name, name: field.name.trim(), before: was?.text ?? "–", after: field.text });
      });
    });
    return changes;
  },

  // The header as its RFC draws it.
  header(layer) {
    if (!layer) return null;
    const changed = new Set(this.changes(lab.frame, [layer]).map(({ name }) => name));
    const grid = h("div", { class: "bitgrid", role: "img", "aria-label": `${layer.name} in rows of 32 bits` });
    for (const bit of [0, 8, 16, 24]) grid.append(h("span", { class: "ruler", style: `grid-column:${bit + 1}/span 8;grid-row:1` }, String(bit)));
    const rows = Math.min(16, Math.ceil((layer.end - layer.start) / 4));
    for (const field of layer.fields) {
      // A field that runs over the end of a row goes on in the next; the longest piece has the words.
      const pieces = [];
      for (let bit = field.bit; bit < field.bit + field.width;) {
        const end = bit % 32 === 0 && field.bit + field.width - bit >= 64 ? field.bit + field.width - (field.bit + field.width) % 32
          : Math.min(field.bit + field.width, (Math.floor(bit / 32) + 1) * 32);
        if (Math.floor(bit / 32) >= rows) break;
        pieces.push([bit, end]);
        bit = end;
      }
      const main = pieces.reduce((best, piece) => piece[1] - piece[0] > best[1] - best[0] ? piece : best, pieces[0] || [0, 0]);
      for (const piece of pieces) {
        const [bit, end] = piece, width = end - bit, row = Math.floor(bit / 32);
        const height = Math.min(4, rows - row, Math.max(1, Math.floor(width / 32)));
        const cell = h("div", {
          class: `cell ${changed.has(field.name) ? "changed" : ""} ${width < 5 ? "tiny" : ""}`,
          style: `grid-column:${bit % 32 + 1}/span ${Math.min(32, width)};grid-row:${row + 2}/span ${height}`,
          "data-from": layer.start + (bit >> 3), "data-to": layer.start + Math.ceil(end / 8),
          title: `${field.name.trim()}: ${field.text} (${field.width} bits)`,
          onpointerenter: (event) => this.light(event.currentTarget), onpointerleave: () => this.light(null),
        }, piece === main ? [h("small", {}, field.name.trim()), h("span", {}, field.text)] : [h("small", { class: "more" }, "…")]);
        grid.append(cell);
      }
    }
    return h("div", {}, h("h4", {}, `${layer.name} header in rows of 32 bits`), grid,
      changed.size ? h("p", { class: "quiet" }, "● marks what the hop before changed.") : null);
  },

  // The bytes, four in a row.
  dump(layers) {
    const bytes = bytesOf(lab.frame), most = Math.min(bytes.length, 256), rows = [];
    for (let at = 0; at < most; at += 4) {
      const cells = Array.from(bytes.subarray(at, Math.min(at + 4, most)), (byte, index) => {
        const owner = layers.findIndex((layer) => at + index >= layer.start && at + index < layer.end);
        return h("span", {
          class: `byte ${layers[owner]?.letter ?? ""} ${owner === this.layer ? "here" : ""}`, "data-at": at + index,
          onpointerenter: () => this.lightByte(at + index), onpointerleave: () => this.light(null),
          onclick: () => { if (owner >= 0) { this.layer = owner; this.render(); } },
        }, hex(byte, 2));
      });
      const text = Array.from(bytes.subarray(at, Math.min(at + 4, most)), (byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "·").join("");
      rows.push(h("div", { class: "dumprow" }, h("small", {}, String(at).padStart(4, "0")), cells, h("code", {}, text)));
    }
    const rest = frames.size[lab.frame] - most;
    return h("div", {}, h("h4", {}, `${bytesText(frames.size[lab.frame])}, four in a row`), h("div", { class: "dump", tabindex: 0, "aria-label": "bytes" }, rows,
      rest > 0 ? h("p", { class: "quiet" }, `${bytesText(rest)} more`) : null));
  },

  // A field and its bytes are lit together.
  light(cell) {
    for (const old of $("packet").querySelectorAll(".lit")) old.classList.remove("lit");
    if (!cell) return;
    cell.classList.add("lit");
    for (let at = Number(cell.dataset.from); at < Number(cell.dataset.to); at++) $("packet").querySelector(`[data-at="${at}"]`)?.classList.add("lit");
  },

  lightByte(at) {
    this.light(null);
    for (const cell of $("packet").querySelectorAll(".cell")) {
      if (Number(cell.dataset.from) <= at && at < Number(cell.dataset.to)) cell.classList.add("lit");
    }
    $("packet").querySelector(`[data-at="${at}"]`)?.classList.add("lit");
  },
};
