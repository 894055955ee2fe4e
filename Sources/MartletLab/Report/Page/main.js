// Puts the views together: tabs, keys, light and dark.

const tabs = ["ladder", "sequence", "windows", "queues", "packet", "tables", "counters"];

function showTab(name) {
  lab.tab = name;
  for (const tab of tabs) {
    const button = $(`tab-${tab}`);
    button.setAttribute("aria-selected", String(tab === name));
    button.tabIndex = tab === name ? 0 : -1;
    $(`panel-${tab}`).hidden = tab !== name;
  }
  $("flow-box").hidden = !["ladder", "sequence", "windows"].includes(name);
  $("direction-box").hidden = !["sequence", "windows"].includes(name);
  $("tools").hidden = $("view-box").hidden = !["ladder", "sequence", "windows", "queues"].includes(name);
  lab.tell("tab");
  lab.tell("view");
}

function setTheme(theme) { document.documentElement.dataset.theme = theme; }

function toggleTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(dark ? "light" : "dark");
}

// The ladder begins with a part of the flow that can be read.
function showFlow() {
  const list = flowFrames[lab.flow] || [];
  if (!list.length) return;
  const from = frames.queued[list[0]], to = frames.arrival[list[Math.min(60, list.length - 1)]];
  lab.setView(from - (to - from) * 0.03, to + (to - from) * 0.03, "near");
}

function showView() {
  const { from, to } = lab.view;
  $("view").textContent = to - from >= duration ? "whole run" : `${spanText(to - from)} in view`;
}

const keys = {
  " ": () => player.toggle(), ArrowRight: () => player.step(1), ArrowLeft: () => player.step(-1),
  Home: () => lab.goTo(-1), End: () => lab.goTo(eventCount - 1), "[": () => player.jump(-1), "]": () => player.jump(1),
  "/": () => $("filter-text").focus(), "+": () => lab.zoom(0.5), "=": () => lab.zoom(0.5), "-": () => lab.zoom(2),
  0: () => lab.setView(0, duration), t: toggleTheme, "?": () => $("help").showModal(),
};

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || $("help").open) return;
  const typing = event.target.matches("input[type=search], input[type=text], select");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const isButton = event.target.matches("button, [role=button]");
  if (isButton && (event.key === " " || event.key === "Enter")) return;
  const tab = tabs[Number(event.key) - 1];
  const body = tab ? () => showTab(tab) : keys[event.key];
  if (!body) return;
  event.preventDefault();
  body();
}

function start() {
  $("title").textContent = recording.name;
  $("summary").textContent = recording.summary;
  $("facts").textContent = `seed ${recording.seed} · ${spanText(duration)} · ${frameCount} frames`;
  if (recording.unrepeatable.length) {
    $("facts").append(h("br"), h("strong", { class: "bad", title: recording.unrepeatable.join("; ") }, `cannot be repeated: ${recording.unrepeatable[0]}`));
  }
  // The flow with most to show comes first.
  if (flows.length) lab.flow = flowFrames.reduce((best, list, index) => list.length > flowFrames[best].length ? index : best, 0);
  flows.forEach((flow, index) => $("flow").append(h("option", { value: index }, flow.name)));
  $("flow").addEventListener("change", () => { lab.selectFlow(Number($("flow").value)); showFlow(); });
  lab.on("flow", () => { $("flow").value = lab.flow; });
  lab.on("view", showView);
  tabs.forEach((tab, index) => {
    $(`tab-${tab}`).addEventListener("click", () => showTab(tab));
    $(`tab-${tab}`).addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const next = tabs[(index + move + tabs.length) % tabs.length];
      showTab(next);
      $(`tab-${next}`).focus();
    });
  });
  $("zoom-in").addEventListener("click", () => lab.zoom(0.5));
  $("zoom-out").addEventListener("click", () => lab.zoom(2));
  $("whole").addEventListener("click", () => lab.setView(0, duration));
  $("theme").addEventListener("click", toggleTheme);
  $("help-button").addEventListener("click", () => $("help").showModal());
  document.addEventListener("keydown", onKey);
  for (const view of [topology, timeline, eventList, ladder, graphs, packetView, tableView, counterView]) view.start();
  showView();
  showTab("ladder");
  lab.goTo(-1);
  // The packet that is looked at before anybody chose one.
  if (flowFrames[lab.flow]?.length) lab.selectFrame(flowFrames[lab.flow][0]);
  $("flow").value = lab.flow;
  showFlow();
}

start();
