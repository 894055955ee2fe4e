// Frames taken apart: a list of layers, each with its fields and where they lie.

function decodeBase64(text) {
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

const frameBytes = [];

// The bytes of a frame, as far as the page has them: its own, or those of the hop before with what changed.
function bytesOf(frame) {
  const chain = [];
  for (let one = frame; !frameBytes[one]; one = frames.origin[one]) {
    chain.push(one);
    if (typeof frames.bytes[one] === "string") break;
  }
  for (const one of chain.reverse()) {
    const stored = frames.bytes[one];
    if (typeof stored === "string") {
      frameBytes[one] = decodeBase64(stored);
    } else {
      const bytes = frameBytes[frames.origin[one]].slice();
      for (let index = 0; index < stored.length; index += 2) bytes.set(decodeBase64(stored[index + 1]), stored[index]);
      frameBytes[one] = bytes;
    }
  }
  return frameBytes[frame];
}

const hex = (value, digits) => value.toString(16).padStart(digits, "0");
const macText = (bytes, at) => Array.from(bytes.subarray(at, at + 6), (byte) => hex(byte, 2)).join(":");
const ipv4Text = (bytes, at) => bytes.subarray(at, at + 4).join(".");

function ipv6Text(bytes, at) {
  const words = Array.from({ length: 8 }, (_, index) => bytes[at + 2 * index] << 8 | bytes[at + 2 * index + 1]);
  // The longest run of zeros, if longer than one, becomes two colons (RFC 5952).
  let best = -1, length = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && words[end] === 0) end++;
    if (end - start > length) [best, length] = [start, end - start];
  }
  const text = (part) => part.map((word) => word.toString(16)).join(":");
  return best < 0 ? text(words) : `${text(words.slice(0, best))}::${text(words.slice(best + length))}`;
}

// A layer while it is read. Fields have their place in bits from the layer's start.
class Layer {
  constructor(bytes, name, letter, start) {
    Object.assign(this, { bytes, name, letter, start, end: start, fields: [], values: {} });
  }

  // A field of up to 32 bits; `text` puts its value into words.
  number(name, bit, width, text = String) {
    let value = 0;
    for (let index = bit; index < bit + width; index++) {
      value = value * 2 + (this.bytes[this.start + (index >> 3)] >> (7 - (index & 7)) & 1);
    }
    this.values[name] = value;
    return this.field(name, bit, width, text(value));
  }

  field(name, bit, width, text) {
    this.fields.push({ name, bit, width, text });
    return this;
  }

  ends(byteCount) {
    this.end = Math.min(this.bytes.length, this.start + byteCount);
    return this;
  }
}

const etherTypes = { 0x0800: "IPv4", 0x0806: "ARP", 0x86dd: "IPv6", 0x8100: "VLAN" };
const protocols = { 1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 44: "fragment" };
const code = (digits, names = {}) => (value) => names[value] ? `0x${hex(value, digits)} ${names[value]}` : `0x${hex(value, digits)}`;
const named = (names) => (value) => names[value] ? `${value} ${names[value]}` : String(value);

function tcpFlags(value) {
  const names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
  return names.filter((_, bit) => value >> bit & 1).reverse().join(" ") || "none";
}

// The layers of a frame, from the outside in. What is not understood is data.
function dissect(bytes) {
  const layers = [];
  const data = (start, end) => {
    if (start < end) {
      const layer = new Layer(bytes, "data", "M", start).ends(end - start);
      layers.push(layer.field("data", 0, 8 * (layer.end - start), bytesText(layer.end - start)));
    }
  };
  if (bytes.length < 14) { data(0, bytes.length); return layers; }
  const ethernet = new Layer(bytes, "Ethernet", "HL", 0)
    .field("destination", 0, 48, macText(bytes, 0)).field("source", 48, 48, macText(bytes, 6))
    .number("type", 96, 16, code(4, etherTypes)).ends(14);
  let type = ethernet.values.type;
  if (type === 0x8100 && bytes.length >= 18) {
    ethernet.number("VLAN", 116, 12).number("type ", 128, 16, code(4, etherTypes)).ends(18);
    type = ethernet.values["type "];
  }
  layers.push(ethernet);
  const start = ethernet.end;
  if (type === 0x0800 && bytes.length >= start + 20) dissectIPv4(bytes, start, layers, data);
  else if (type === 0x86dd && bytes.length >= start + 40) dissectIPv6(bytes, start, layers, data);
  else if (type === 0x0806 && bytes.length >= start + 28) {
    layers.push(new Layer(bytes, "ARP", "HN", start).number("hardware", 0, 16).number("protocol", 16, 16, code(4, etherTypes))
      .number("hlen", 32, 8).number("plen", 40, 8).number("operation", 48, 16, named({ 1: "request", 2: "reply" }))
      .field("sender MAC", 64, 48, macText(bytes, start + 8)).field("sender address", 112, 32, ipv4Text(bytes, start + 14))
      .field("target MAC", 144, 48, macText(bytes, start + 18)).field("target address", 192, 32, ipv4Text(bytes, start + 24))
      .ends(28));
    data(start + 28, bytes.length);
  } else data(start, bytes.length);
  return layers;
}

function dissectIPv4(bytes, start, layers, data) {
  const layer = new Layer(bytes, "IPv4", "HN", start).number("version", 0, 4).number("IHL", 4, 4).number("DSCP", 8, 6)
    .number("ECN", 14, 2).number("total length", 16, 16).number("identification", 32, 16, code(4))
    .number("flags", 48, 3, (value) => [value & 2 ? "DF" : "", value & 1 ? "MF" : ""].join(" ").trim() || "–")
    .number("fragment offset", 51, 13, (value) => String(value * 8)).number("time to live", 64, 8)
    .number("protocol", 72, 8, named(protocols)).number("checksum", 80, 16, code(4))
    .field("source", 96, 32, ipv4Text(bytes, start + 12)).field("destination", 128, 32, ipv4Text(bytes, start + 16));
  const size = 4 * layer.values.IHL;
  if (size > 20) layer.field("options", 160, 8 * (size - 20), bytesText(size - 20));
  layers.push(layer.ends(size));
  layer.source = ipv4Text(bytes, start + 12);
  layer.destination = ipv4Text(bytes, start + 16);
  const end = start + layer.values["total length"];
  if (layer.values["fragment offset"] > 0) data(start + size, Math.min(end, bytes.length));
  else dissectTransport(layer.values.protocol, bytes, start + size, end, layers, data);
}

function dissectIPv6(bytes, start, layers, data) {
  const layer = new Layer(bytes, "IPv6", "HN", start).number("version", 0, 4).number("traffic class", 4, 8)
    .number("flow label", 12, 20, code(5)).number("payload length", 32, 16).number("next header", 48, 8, named(protocols))
    .number("hop limit", 56, 8).field("source", 64, 128, ipv6Text(bytes, start + 8))
    .field("destination", 192, 128, ipv6Text(bytes, start + 24)).ends(40);
  layers.push(layer);
  layer.source = ipv6Text(bytes, start + 8);
  layer.destination = ipv6Text(bytes, start + 24);
  const end = start + 40 + layer.values["payload length"];
  dissectTransport(layer.values["next header"], bytes, start + 40, end, layers, data);
}

// `end` is where the packet ends, which may lie beyond the bytes that are here.
function dissectTransport(protocol, bytes, start, end, layers, data) {
  const here = Math.min(end, bytes.length);
  if (protocol === 6 && here >= start + 20) {
    const layer = new Layer(bytes, "TCP", "HT", start).number("source port", 0, 16).number("destination port", 16, 16)
      .number("sequence number", 32, 32).number("acknowledgment number", 64, 32).number("data offset", 96, 4)
      .number("reserved", 100, 4).number("flags", 104, 8, tcpFlags).number("window", 112, 16)
      .number("checksum", 128, 16, code(4)).number("urgent pointer", 144, 16);
    const size = 4 * layer.values["data offset"];
    if (size > 20) layer.field("options", 160, 8 * (size - 20), tcpOptions(bytes, start + 20, Math.min(here, start + size)));
    layers.push(layer.ends(size));
    layer.payload = Math.max(0, end - start - size);
    data(start + size, here);
  } else if (protocol === 17 && here >= start + 8) {
    layers.push(new Layer(bytes, "UDP", "HT", start).number("source port", 0, 16).number("destination port", 16, 16)
      .number("length", 32, 16).number("checksum", 48, 16, code(4)).ends(8));
    data(start + 8, here);
  } else if ((protocol === 1 || protocol === 58) && here >= start + 8) {
    layers.push(new Layer(bytes, protocols[protocol], "HT", start).number("type", 0, 8).number("code", 8, 8)
      .number("checksum", 16, 16, code(4)).number("rest", 32, 32, code(8)).ends(8));
    data(start + 8, here);
  } else data(start, here);
}

function tcpOptions(bytes, start, end) {
  const words = [];
  const long = (at) => (bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3]) >>> 0;
  for (let at = start; at < end;) {
    const kind = bytes[at], size = kind < 2 ? 1 : bytes[at + 1];
    if (kind === 0 || !size) break;
    if (kind === 2) words.push(`MSS ${bytes[at + 2] << 8 | bytes[at + 3]}`);
    else if (kind === 3) words.push(`window × ${1 << bytes[at + 2]}`);
    else if (kind === 4) words.push("SACK permitted");
    else if (kind === 5) for (let block = at + 2; block + 8 <= at + size; block += 8) words.push(`has ${long(block)}..<${long(block + 4)}`);
    else if (kind === 8) words.push(`time ${long(at + 2)}, echo ${long(at + 6)}`);
    else if (kind > 1) words.push(`option ${kind}`);
    at += size;
  }
  return words.join(", ") || "padding";
}

// What the graphs need of a TCP segment; null for anything else.
function segmentOf(frame) {
  const layers = dissect(bytesOf(frame));
  const tcp = layers.find((layer) => layer.name === "TCP");
  if (!tcp) return null;
  const flags = tcp.values.flags;
  let scale = null;
  if (flags & 2) scale = Number(/window × (\d+)/.exec(tcp.fields.at(-1).text)?.[1] ?? 1);
  return {
    sequence: tcp.values["sequence number"], acknowledgment: tcp.values["acknowledgment number"], flags,
    window: tcp.values.window, payload: tcp.payload, scale,
    count: tcp.payload + (flags & 2 ? 1 : 0) + (flags & 1 ? 1 : 0),
  };
}
