// The bar over everything: play, step, back, and a slider with what happened when.

const player = {
  playing: false, speed: 0, last: 0,

  toggle() { if (this.playing) this.stop(); else this.start(); },

  start() {
    if (lab.time >= duration) lab.goTo(-1);
    this.playing = true;
    this.last = performance.now();
    this.show();
    requestAnimationFrame((now) => this.tick(now));
  },

  stop() {
    this.playing = false;
    this.show();
  },

  show() {
    $("play").textContent = this.playing ? "❚❚" : "▶";
    $("play").setAttribute("aria-label", this.playing ? "pause" : "play");
  },

  tick(now) {
    if (!this.playing) return;
    const passed = Math.min(100, now - this.last) / 1000;
    this.last = now;
    if (this.eventsPerSecond) this.tickEvents(passed); else lab.goToTime(lab.time + passed * this.speed);
    const frame = lab.at >= 0 ? events.frame[lab.at] : -1;
    if (frame >= 0) lab.selectFrame(frame);
    if (lab.time >= duration || this.eventsPerSecond && lab.at === eventCount - 1) this.stop(); else requestAnimationFrame((next) => this.tick(next));
  },

  // From event to event, all alike, whatever lies between them.
  tickEvents(passed) {
    this.due = (this.due || 0) + passed * this.eventsPerSecond;
    if (this.due < 1) return;
    const count = Math.floor(this.due);
    this.due -= count;
    lab.goTo(lab.at + count);
  },

  step(count) {
    this.stop();
    // Between two events a step back goes to the one that was last.
    if (count < 0 && lab.at >= 0 && lab.time > events.time[lab.at]) count += 1;
    lab.goTo(lab.at + count);
  },

  // Goes to the next event, in a direction, at which something was lost.
  jump(direction) {
    this.stop();
    for (let index = lab.at + direction; index >= 0 && index < eventCount; index += direction) {
      if (isTrouble(index)) return lab.goTo(index);
    }
  },
};

const timeline = {
  start() {
    const slider = $("slider");
    slider.max = 100000;
    slider.addEventListener("input", () => { player.stop(); lab.goToTime(slider.value / 100000 * duration); });
    // The arrows step from event to event, here as everywhere.
    slider.addEventListener("keydown", (event) => {
      if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) event.preventDefault();
    });
    for (const [id, body] of Object.entries({
      play: () => player.toggle(), back: () => player.step(-1), step: () => player.step(1),
      first: () => { player.stop(); lab.goTo(-1); }, last: () => { player.stop(); lab.goTo(eventCount - 1); },
      "loss-back": () => player.jump(-1), loss: () => player.jump(1),
    })) $(id).addEventListener("click", body);
    this.fillSpeeds();
    lab.on("time", () => this.moved());
    lab.on("view", () => this.drawView());
    new ResizeObserver(soon(() => this.draw())).observe($("strip"));
    this.draw();
    this.moved();
  },

  // Virtual time for each second of a spectator's: whole powers of ten, and one that shows the run in twenty seconds.
  fillSpeeds() {
    const select = $("speed");
    const fit = duration / 20;
    const speeds = [fit];
    for (let speed = 1e3; speed <= Math.max(1e9, fit * 10); speed *= 10) if (speed > fit / 1e4) speeds.push(speed);
    speeds.forEach((speed, index) => {
      select.append(h("option", { value: speed }, index ? `${spanText(speed)} each second` : "all in 20 s"));
    });
    for (const count of [2, 10, 100]) select.append(h("option", { value: `events ${count}` }, `${count} events each second`));
    const choose = () => {
      const [, count] = /^events (\d+)$/.exec(select.value) || [];
      player.eventsPerSecond = count ? Number(count) : 0;
      player.speed = count ? fit : Number(select.value);
    };
    select.addEventListener("change", choose);
    // A run in which nothing happens most of the time is watched event by event.
    const used = new Set(events.time.map((time) => Math.floor(time / duration * 100)));
    if (used.size < 12 && eventCount < 2000) select.value = "events 10";
    choose();
  },

  moved() {
    $("now").textContent = momentText(lab.time);
    $("position").textContent = lab.at < 0 ? `before ${eventCount} events` : `event ${lab.at + 1} of ${eventCount}`;
    $("slider").value = lab.time / duration * 100000;
    $("slider").setAttribute("aria-valuetext", momentText(lab.time));
  },

  // How many events there are at each place of the slider, and where something was lost.
  draw() {
    const svg = $("strip"), width = svg.clientWidth, height = 26;
    if (!width) return;
    const inset = 8, columns = Math.max(1, Math.floor((width - 2 * inset) / 3));
    const counts = new Array(columns).fill(0), bad = new Array(columns).fill(false);
    for (let index = 0; index < eventCount; index++) {
      const column = Math.min(columns - 1, Math.floor(events.time[index] / duration * columns));
      counts[column]++;
      bad[column] ||= isTrouble(index, ["dropped", "fault", "timeout"]);
    }
    const most = Math.max(1, ...counts);
    let bars = "", crosses = "";
    counts.forEach((count, column) => {
      const x = inset + column * (width - 2 * inset) / columns;
      if (count) bars += `M${x.toFixed(1)} ${height}v${-Math.max(2, 16 * Math.sqrt(count / most)).toFixed(1)}`;
      if (bad[column]) crosses += `M${(x - 3).toFixed(1)} 2l6 6m0 -6l-6 6`;
    });
    this.bracket = s("rect", { class: "bracket", y: 9, height: height - 9 });
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.replaceChildren(this.bracket, s("path", { class: "density", d: bars }), s("path", { class: "cross", d: crosses }));
    this.drawView();
  },

  drawView() {
    if (!this.bracket) return;
    const width = $("strip").clientWidth - 16, { from, to } = lab.view;
    this.bracket.setAttribute("x", 8 + from / duration * width);
    this.bracket.setAttribute("width", Math.max(2, (to - from) / duration * width));
    this.bracket.style.display = to - from < duration ? "" : "none";
  },
};
