// swift-format-ignore-file
// Made by scripts/report_page.py of the files in Page; edit those.

/// The page of a report, without its recording.
enum ReportPage {
  static let style =
    #"""
    /* Colours are those of Okabe and Ito, which colour-blind eyes tell apart; each also has a shape, a dash or a word. */
    :root {
      --orange: #b26b00; --sky: #2a84b8; --green: #00795a; --blue: #0072b2; --vermillion: #c14e00; --purple: #a8487f;
      --paper: #fbfbf9; --panel: #ffffff; --ink: #1c2326; --quiet: #5d686e; --rule: #dde1e2; --faint: #eef0f0;
      --accent: #0072b2; --on-accent: #ffffff; --wash: #e4f0f8; --warm: #fdf0dc;
      color-scheme: light;
    }
    @media (prefers-color-scheme: dark) {
      :root:not([data-theme="light"]) {
        --orange: #e69f00; --sky: #56b4e9; --green: #1fc395; --blue: #56b4e9; --vermillion: #ff8a3d; --purple: #dd93ba;
        --paper: #14181b; --panel: #1b2125; --ink: #e4e8ea; --quiet: #9aa6ac; --rule: #333c42; --faint: #262e33;
        --accent: #56b4e9; --on-accent: #10202b; --wash: #1f3a4b; --warm: #40341c;
        color-scheme: dark;
      }
    }
    :root[data-theme="dark"] {
      --orange: #e69f00; --sky: #56b4e9; --green: #1fc395; --blue: #56b4e9; --vermillion: #ff8a3d; --purple: #dd93ba;
      --paper: #14181b; --panel: #1b2125; --ink: #e4e8ea; --quiet: #9aa6ac; --rule: #333c42; --faint: #262e33;
      --accent: #56b4e9; --on-accent: #10202b; --wash: #1f3a4b; --warm: #40341c;
      color-scheme: dark;
    }

    * { box-sizing: border-box; }
    [hidden] { display: none !important; }
    html { height: 100%; }
    body {
      margin: 0; min-height: 100%; height: 100vh; display: grid; grid-template-rows: auto auto minmax(0, 1fr);
      background: var(--paper); color: var(--ink); font: 14px/1.4 system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
      font-variant-numeric: tabular-nums;
    }
    h1 { font-size: 17px; margin: 0; }
    h3 { font-size: 14px; margin: 0; }
    h4 { font-size: 13px; margin: 12px 0 6px; color: var(--quiet); font-weight: 600; }
    p { margin: 0; }
    small, .quiet { color: var(--quiet); font-size: 12px; }
    button, select, input[type="search"] {
      font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: 3px 8px; min-width: 0;
    }
    button { cursor: pointer; }
    button:hover { border-color: var(--quiet); }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
    .bad { color: var(--vermillion); }

    header { display: flex; align-items: center; gap: 12px; padding: 10px 16px 8px; }
    header .heading { flex: 1; min-width: 0; }
    header #summary { color: var(--quiet); font-size: 13px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    header #facts { color: var(--quiet); font-size: 13px; white-space: nowrap; }
    header button { width: 30px; height: 30px; padding: 0; }

    .transport {
      display: flex; align-items: center; gap: 14px; padding: 6px 16px 8px; border-bottom: 1px solid var(--rule);
    }
    .transport .buttons { display: flex; gap: 4px; }
    .transport .buttons button { min-width: 32px; height: 32px; padding: 0 5px; font-size: 13px; line-height: 1; white-space: nowrap; }
    .transport .main { background: var(--accent); color: var(--on-accent); border-color: var(--accent); min-width: 40px !important; }
    .sliderbox { flex: 1; min-width: 120px; }
    #strip { display: block; width: 100%; height: 26px; }
    #slider { display: block; width: 100%; margin: 0; height: 16px; accent-color: var(--accent); }
    .clock { display: flex; flex-direction: column; width: 148px; white-space: nowrap; }
    .clock output { font-size: 15px; }
    .speed span { color: var(--quiet); font-size: 12px; }
    .density { stroke: var(--sky); stroke-width: 2; opacity: .75; }
    .bracket { fill: var(--wash); stroke: var(--accent); stroke-width: .5; }

    main { display: grid; grid-template-columns: minmax(0, 1fr) minmax(440px, 36%); min-height: 0; }
    .stage { display: grid; grid-template-rows: minmax(0, auto) auto auto minmax(0, 1fr); min-height: 0; min-width: 0; }
    aside { border-left: 1px solid var(--rule); display: grid; grid-template-rows: auto auto minmax(0, 1fr) minmax(120px, 32%); min-height: 0; background: var(--panel); }

    /* Topology */
    .topologybox { max-height: 44vh; overflow: auto; border-bottom: 1px solid var(--rule); background: var(--panel); }
    #topology { display: block; width: 100%; }
    svg text { font: 12px system-ui, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
    svg text.small { font-size: 11px; fill: var(--quiet); }
    svg text.bad { fill: var(--vermillion); }
    svg text.name { font-weight: 600; font-size: 13px; }
    svg text.linkname { font-size: 12px; }
    .halo text, .node text { paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
    .wire { stroke: var(--rule); stroke-width: 18; }
    .hub { fill: var(--quiet); }
    .busy { fill: var(--ink) !important; }
    .busy.full { fill: var(--vermillion) !important; font-weight: 700; }
    .node { cursor: pointer; }
    .node .shape { fill: var(--panel); stroke: var(--ink); stroke-width: 1.6; }
    .node .detail { fill: none; stroke: var(--quiet); stroke-width: 1.4; }
    .node.chosen .shape { stroke: var(--accent); stroke-width: 3; }
    .node.active .shape { fill: var(--wash); }
    .node:focus { outline: none; }
    .node:focus-visible .shape { stroke-dasharray: 4 2; stroke: var(--accent); stroke-width: 3; }
    .frame { stroke: var(--blue); stroke-width: 7; stroke-linecap: round; }
    .frame.again { stroke: var(--orange); }
    .frame.chosen { stroke-width: 10; }
    .queued { fill: var(--purple); }
    .cross { stroke: var(--vermillion); stroke-width: 2; fill: none; stroke-linecap: round; }
    .cross.big { stroke-width: 3; }

    /* Views */
    .tabbar { padding: 8px 16px 0; border-bottom: 1px solid var(--rule); }
    [role="tablist"] { display: flex; gap: 2px; }
    [role="tab"] { border: 0; border-bottom: 3px solid transparent; border-radius: 4px 4px 0 0; background: none; padding: 6px 12px; color: var(--quiet); }
    [role="tab"][aria-selected="true"] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 600; }
    .tools { display: flex; gap: 16px; align-items: center; padding: 8px 16px 0; min-height: 12px; flex-wrap: wrap; font-size: 13px; }
    .tools label, .key label { color: var(--quiet); }
    .tools button { padding: 2px 9px; }
    .tools #flow { max-width: 360px; }
    [role="tabpanel"] { overflow: auto; padding: 8px 16px 12px; min-height: 0; }
    #panel-ladder { display: grid; grid-template-rows: auto minmax(0, 1fr); overflow: hidden; padding-bottom: 4px; }
    .ladderbox { min-height: 0; overflow: hidden; }
    #ladder { display: block; width: 100%; touch-action: none; }
    .key { display: flex; gap: 14px; align-items: baseline; flex-wrap: wrap; font-size: 12px; min-height: 20px; }
    .key .flight { color: var(--shade); }
    .axes line { stroke: var(--rule); }
    .axes line.grid { stroke: var(--faint); }
    .axes line.axis, .axes line.tick { stroke: var(--quiet); }
    .axes line.lane { stroke: var(--quiet); stroke-width: 1.5; }
    .axes text { fill: var(--quiet); font-size: 11px; }
    .axes text.name { fill: var(--ink); font-size: 13px; }
    .axes text.label { fill: var(--quiet); }
    .cursor { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; pointer-events: none; }
    .flight { --shade: var(--quiet); cursor: pointer; }
    .flight.data { --shade: var(--blue); }
    .flight.ack { --shade: var(--green); }
    .flight.control { --shade: var(--purple); }
    .flight.again { --shade: var(--orange); }
    .flight text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
    .flight .bits { fill: var(--shade); opacity: .28; }
    .flight .edge { stroke: var(--shade); stroke-width: 1.2; }
    .flight .hit { stroke: transparent; stroke-width: 6; }
    .flight .head { fill: var(--shade); }
    .flight.ack .edge { stroke-dasharray: 5 2; }
    .flight.again .edge { stroke-width: 2.4; }
    .edge.flight { stroke: var(--shade); stroke-width: 1; stroke-dasharray: none; fill: none; }
    .edge.again { stroke-width: 2.4; }
    .flight.chosen text { stroke-width: 5px; fill: var(--ink); }
    .flight.chosen .bits { opacity: .6; }
    .flight.chosen .edge { stroke-width: 3; }

    .graph { margin: 0 0 10px; }
    .graph figcaption { display: flex; align-items: center; gap: 6px 14px; flex-wrap: wrap; }
    .chart { display: block; width: 100%; touch-action: pan-y; cursor: crosshair; user-select: none; }
    .legend { display: flex; flex-wrap: wrap; gap: 2px; }
    .entry { display: inline-flex; align-items: center; gap: 5px; border: 0; background: none; padding: 1px 6px; font-size: 12px; }
    .entry[aria-pressed="false"] { color: var(--quiet); text-decoration: line-through; opacity: .7; }
    .line { fill: none; stroke-width: 1.8; stroke: var(--ink); }
    .line.a { stroke: var(--blue); }
    .line.b { stroke: var(--vermillion); stroke-dasharray: 7 3; }
    .line.c { stroke: var(--green); stroke-dasharray: 2 3; stroke-width: 2.2; }
    .line.d { stroke: var(--orange); stroke-dasharray: 9 2 2 2; }
    .line.data { stroke: var(--blue); }
    .line.acks { stroke: var(--green); stroke-dasharray: 5 2; }
    .line.edge { stroke: var(--purple); stroke-dasharray: 2 3; }
    .line.again { stroke: var(--orange); stroke-width: 2.6; }
    .line.lost { stroke: var(--vermillion); }
    .diamond { fill: var(--orange); stroke: var(--panel); stroke-width: 1; }
    .band { fill: var(--faint); }
    .bandname { font-size: 11px !important; fill: var(--quiet) !important; }
    .phase-slow-start { fill: color-mix(in srgb, var(--sky) 14%, transparent); }
    .phase-congestion-avoidance { fill: color-mix(in srgb, var(--green) 9%, transparent); }
    .phase-recovery { fill: color-mix(in srgb, var(--orange) 22%, transparent); }
    .phase-loss { fill: color-mix(in srgb, var(--vermillion) 24%, transparent); }
    .selection { fill: var(--accent); opacity: .18; }

    /* Packet */
    #packet h3 .words { font-weight: 400; }
    .hops { display: grid; gap: 8px; margin-top: 8px; }
    .hop { border: 1px solid var(--rule); border-radius: 8px; padding: 8px 10px; }
    .hop.chosen { border-color: var(--accent); background: color-mix(in srgb, var(--wash) 35%, transparent); }
    .hop .way { font-size: 12px; color: var(--quiet); margin-bottom: 6px; }
    .hop .way b { color: var(--ink); font-size: 13px; }
    .nest { display: flex; flex: 1; align-items: stretch; border: 1.5px solid var(--rule); border-radius: 6px; padding: 3px; gap: 3px; min-width: 0; }
    .header { display: flex; flex-direction: column; align-items: flex-start; position: relative; padding: 2px 20px 2px 8px; text-align: left; line-height: 1.25; justify-content: center; white-space: nowrap; border-left: 4px solid var(--shade); border-radius: 4px; }
    .header.M { flex: 1; }
    .header.chosen { background: var(--wash); border-color: var(--accent); border-left-color: var(--shade); }
    .header i { position: absolute; right: 6px; top: 3px; }
    .HL { --shade: var(--purple); } .HN { --shade: var(--blue); } .HT { --shade: var(--green); } .M { --shade: var(--quiet); }
    .changes { font-size: 12px; margin-top: 6px; }
    .changes i, .header i { color: var(--vermillion); font-style: normal; font-size: 10px; }
    .changes s { color: var(--quiet); }
    .anatomy { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 20px; align-items: start; }
    .bitgrid { display: grid; grid-template-columns: repeat(32, minmax(0, 1fr)); grid-auto-rows: minmax(38px, auto); border-top: 1px solid var(--rule); }
    .bitgrid .ruler { font-size: 10px; color: var(--quiet); border-left: 1px solid var(--rule); padding-left: 3px; height: 16px; }
    .bitgrid { grid-template-rows: 16px; }
    .cell { border: 1px solid var(--rule); margin: 0 -1px -1px 0; padding: 2px 4px; overflow: hidden; display: flex; flex-direction: column; justify-content: center; min-width: 0; }
    .cell small { font-size: 10px; line-height: 1.2; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    .cell span { font-size: 12px; line-height: 1.2; overflow-wrap: anywhere; }
    .cell.tiny { padding: 2px 1px; text-align: center; }
    .cell.tiny small { font-size: 8px; }
    .cell.changed { background: var(--warm); }
    .cell.changed small:not(.more)::before { content: "● "; color: var(--vermillion); }
    .cell.lit, .byte.lit { outline: 2px solid var(--accent); outline-offset: -2px; background: var(--wash); }
    .dump { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; max-height: 420px; overflow: auto; padding-right: 8px; }
    .dumprow { white-space: nowrap; }
    .dumprow small { margin-right: 8px; font-size: 11px; }
    .dumprow code { margin-left: 10px; color: var(--quiet); font: inherit; white-space: pre; }
    .byte { padding: 0 4px; border-bottom: 2px solid var(--shade); cursor: default; }
    .byte.here { background: var(--faint); font-weight: 600; }

    /* Tables */
    .tablebox { margin: 10px 0 18px; }
    .tablebox h3 small { font-weight: 400; }
    .scroll { overflow-x: auto; margin-top: 4px; }
    table { border-collapse: collapse; font-size: 13px; }
    th, td { text-align: left; padding: 3px 16px 3px 8px; border-bottom: 1px solid var(--rule); white-space: nowrap; vertical-align: top; }
    thead th { color: var(--quiet); font-weight: 600; font-size: 12px; }
    tbody th { font-weight: 400; }
    .number { text-align: right; }
    tr.fresh td:first-child { box-shadow: inset 3px 0 var(--orange); }
    tr.winner td { background: var(--wash); font-weight: 600; }
    td.why { font-weight: 400 !important; color: var(--quiet); }
    tr.winner td.why { color: var(--ink); }
    #question { width: 190px; }
    #counters h3 { margin-top: 10px; }

    /* Events */
    .filters { padding: 10px 12px 6px; display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
    .filters #filter-text, .filters #kinds, .filters p { grid-column: 1 / -1; }
    #kinds { display: flex; flex-wrap: wrap; gap: 4px; }
    .chip { font-size: 12px; padding: 1px 8px; border-radius: 12px; }
    .chip[aria-pressed="false"] { opacity: .55; text-decoration: line-through; background: none; }
    .filters p { min-height: 24px; }
    .filters p button { font-size: 12px; padding: 0 8px; }
    .row, .rowhead { display: grid; grid-template-columns: 70px 56px 16px 86px minmax(0, 1fr); gap: 6px; padding: 0 12px; align-items: center; }
    .rowhead { font-size: 11px; color: var(--quiet); border-bottom: 1px solid var(--rule); padding-bottom: 3px; padding-right: 26px; }
    .row { position: absolute; left: 0; right: 0; height: 24px; font-size: 12px; cursor: pointer; white-space: nowrap; border-left: 3px solid transparent; padding-left: 9px; }
    .row span, .rowhead span { overflow: hidden; text-overflow: ellipsis; }
    .row .time, .rowhead .time { text-align: right; }
    .row .time { color: var(--quiet); }
    .row:hover { background: var(--faint); }
    .row.future { color: var(--quiet); }
    .row.cause { border-left-color: var(--orange); background: color-mix(in srgb, var(--warm) 55%, transparent); }
    .row.current { background: var(--wash); border-left-color: var(--accent); }
    .row.near { box-shadow: inset 0 -1px var(--accent); }
    .sign { display: inline-block; width: 16px; text-align: center; color: var(--shade); font-weight: 700; }
    .sent { --shade: var(--blue); } .received { --shade: var(--green); } .forwarded { --shade: var(--quiet); } .dropped { --shade: var(--vermillion); }
    .again { --shade: var(--orange); } .state { --shade: var(--purple); } .said { --shade: var(--ink); } .other { --shade: var(--quiet); }
    .row.dropped .kind { color: var(--vermillion); }
    #events { overflow-y: scroll; position: relative; min-height: 120px; overflow-anchor: none; }
    #rows { position: relative; }
    #nothing { padding: 20px; }
    #causes { border-top: 1px solid var(--rule); overflow-y: auto; padding: 8px 12px; font-size: 12px; }
    #causes ol { margin: 0; padding: 0; list-style: none; }
    #causes h4 { margin: 8px 0 2px; font-size: 12px; }
    .eventlink { border: 0; background: none; padding: 2px 4px; text-align: left; font-size: 12px; width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .eventlink:hover { background: var(--faint); }
    .eventlink b { color: var(--accent); font-weight: 600; }

    dialog { background: var(--panel); color: var(--ink); border: 1px solid var(--rule); border-radius: 10px; padding: 18px 24px; }
    dialog::backdrop { background: #0006; }
    dialog h2 { margin: 0 0 10px; font-size: 16px; }
    dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 18px; margin: 0 0 14px; }
    dt { font-weight: 600; }
    dd { margin: 0; }

    @media (max-width: 1000px) {
      body { height: auto; }
      header { flex-wrap: wrap; }
      .transport { flex-wrap: wrap; position: sticky; top: 0; background: var(--paper); z-index: 2; }
      .sliderbox { order: 5; flex-basis: 100%; }
      main { grid-template-columns: minmax(0, 1fr); }
      aside { border-left: 0; border-top: 1px solid var(--rule); grid-template-rows: auto auto 420px auto; }
      #panel-ladder { height: 560px; }
      .anatomy { grid-template-columns: minmax(0, 1fr); }
      [role="tablist"] { overflow-x: auto; }
    }
    @media print { .transport, aside { display: none; } }

    """#

  static let body =
    #"""
    <body>
    <header>
      <div class="heading">
        <h1 id="title"></h1>
        <p id="summary"></p>
      </div>
      <p id="facts"></p>
      <button type="button" id="theme" aria-label="light or dark" title="light or dark (t)">◐</button>
      <button type="button" id="help-button" aria-label="help" title="keys (?)">?</button>
    </header>
    <nav class="transport" aria-label="time">
      <div class="buttons">
        <button type="button" id="first" aria-label="to the beginning" title="to the beginning (Home)">|◂</button>
        <button type="button" id="loss-back" aria-label="to the loss before" title="to the loss before ([)">✕◂</button>
        <button type="button" id="back" aria-label="one event back" title="one event back (←)">◂</button>
        <button type="button" id="play" class="main" aria-label="play" title="play or pause (space)">▶</button>
        <button type="button" id="step" aria-label="one event on" title="one event on (→)">▸</button>
        <button type="button" id="loss" aria-label="to the next loss" title="to the next loss (])">▸✕</button>
        <button type="button" id="last" aria-label="to the end" title="to the end (End)">▸|</button>
      </div>
      <div class="sliderbox">
        <svg id="strip" aria-hidden="true"></svg>
        <input type="range" id="slider" min="0" max="100000" value="0" step="any" aria-label="moment of the run">
      </div>
      <div class="clock"><output id="now"></output><small id="position"></small></div>
      <label class="speed"><span>speed</span> <select id="speed"></select></label>
    </nav>
    <main>
      <div class="stage">
        <section class="topologybox" aria-label="topology"><svg id="topology" role="group" aria-label="nodes and links"></svg></section>
        <div class="tabbar">
          <div role="tablist" aria-label="views">
            <button type="button" role="tab" id="tab-ladder" aria-controls="panel-ladder">Ladder</button>
            <button type="button" role="tab" id="tab-sequence" aria-controls="panel-sequence">Sequence</button>
            <button type="button" role="tab" id="tab-windows" aria-controls="panel-windows">Windows</button>
            <button type="button" role="tab" id="tab-queues" aria-controls="panel-queues">Queues</button>
            <button type="button" role="tab" id="tab-packet" aria-controls="panel-packet">Packet</button>
            <button type="button" role="tab" id="tab-tables" aria-controls="panel-tables">Tables</button>
            <button type="button" role="tab" id="tab-counters" aria-controls="panel-counters">Counters</button>
          </div>
        </div>
        <div class="tools" id="tools">
          <label id="flow-box">flow <select id="flow"></select></label>
          <label id="direction-box">bytes of <select id="direction">
            <option value="auto">who sends more</option><option value="client">the client</option><option value="server">the server</option>
          </select></label>
          <span id="view-box"><button type="button" id="zoom-out" aria-label="see more" title="see more (-)">−</button>
            <button type="button" id="zoom-in" aria-label="see less, larger" title="see less, larger (+)">+</button>
            <button type="button" id="whole" title="the whole run (0); drag in a graph to come closer, click to go there">whole run</button> <small id="view"></small></span>
        </div>
        <section role="tabpanel" id="panel-ladder" aria-labelledby="tab-ladder">
          <p class="key">
            <span class="flight data">▬ data</span> <span class="flight ack">▬ acknowledgment</span>
            <span class="flight control">▬ SYN, FIN, RST</span> <span class="flight again">▬ sent again</span> <span class="bad">✕ died</span>
            <small id="ladder-note"></small>
          </p>
          <div class="ladderbox"><svg id="ladder" role="img" aria-label="ladder of the flow's frames"></svg></div>
        </section>
        <section role="tabpanel" id="panel-sequence" aria-labelledby="tab-sequence" hidden>
          <p class="quiet" id="sequence-note"></p>
          <div id="sequence-chart"></div>
        </section>
        <section role="tabpanel" id="panel-windows" aria-labelledby="tab-windows" hidden>
          <p class="quiet" id="windows-note"></p>
          <div id="windows-charts"></div>
        </section>
        <section role="tabpanel" id="panel-queues" aria-labelledby="tab-queues" hidden>
          <p class="quiet" id="queues-note"></p>
          <div id="queues-charts"></div>
        </section>
        <section role="tabpanel" id="panel-packet" aria-labelledby="tab-packet" hidden><div id="packet"></div></section>
        <section role="tabpanel" id="panel-tables" aria-labelledby="tab-tables" hidden>
          <p class="key"><label>of <select id="table-node"></select></label>
            <label>why for <input type="search" id="question" autocomplete="off" spellcheck="false"></label></p>
          <div id="tables"></div>
        </section>
        <section role="tabpanel" id="panel-counters" aria-labelledby="tab-counters" hidden><div id="counters"></div></section>
      </div>
      <aside aria-label="events">
        <div class="filters">
          <input type="search" id="filter-text" placeholder="find in events" aria-label="find in events" autocomplete="off" spellcheck="false">
          <select id="filter-node" aria-label="node"></select>
          <select id="filter-flow" aria-label="flow"></select>
          <div id="kinds" role="group" aria-label="kinds of events"></div>
          <p><small id="count" role="status"></small> <button type="button" id="filter-clear" hidden>show all</button></p>
        </div>
        <div class="rowhead" aria-hidden="true"><span class="time">time (ms)</span><span class="place">node</span><span></span><span class="kind">what</span><span class="words"></span></div>
        <div id="events" role="listbox" tabindex="0" aria-label="events in the order of time">
          <div id="rows" role="presentation"></div>
          <p id="nothing" class="quiet" hidden>No event is like that.</p>
        </div>
        <section id="causes" aria-label="causes of the event" tabindex="0"></section>
      </aside>
    </main>
    <dialog id="help">
      <h2>Keys</h2>
      <dl>
        <dt>space</dt><dd>play or pause</dd>
        <dt>← →</dt><dd>one event back or on</dd>
        <dt>[ ]</dt><dd>to the loss, time-out or retransmission before or next</dd>
        <dt>Home End</dt><dd>to the beginning or the end</dd>
        <dt>1 – 7</dt><dd>views</dd>
        <dt>+ − 0</dt><dd>look closer, see more, whole run</dd>
        <dt>/</dt><dd>find in events</dd>
        <dt>↑ ↓</dt><dd>through the events shown, when the list has the focus</dd>
        <dt>t</dt><dd>light or dark</dd>
      </dl>
      <form method="dialog"><button>close</button></form>
    </dialog>
    </body>

    """#

  /// One view a text, in the order in which the browser reads them.
  static let scripts = [
    #"""
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

    function bytesText(count) {
      if (count >= 1 << 20) return `${trim((count / (1 << 20)).toPrecision(4))} MiB`;
      if (count >= 1 << 13) return `${trim((count / 1024).toPrecision(4))} KiB`;
      return count === 1 ? "1 byte" : `${count} bytes`;
    }

    // MARK: Frames

    const senderOf = (frame) => links[frames.link[frame]]?.ends[frames.end[frame]] || [-1, -1];
    const receiversOf = (frame) => (links[frames.link[frame]]?.ends || []).filter((_, end) => end !== frames.end[frame]);
    const isLost = (frame) => frames.lost[frame] !== "" && !frames.lost[frame].startsWith("still on its way");
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
        case "fault": return ["⚡", "dropped"];
        case "said": return ["❝", "said"];
        case "route": return ["◇", "state"];
        default: return ["•", "other"];
      }
    }

    """#,
    #"""
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

    """#,
    #"""
    // One chart over the part of the run that is in view: axes with units, lines in steps, bands, marks, and a line at the moment shown.

    function niceStep(span, count) {
      const rough = span / Math.max(1, count), power = 10 ** Math.floor(Math.log10(rough));
      return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
    }

    // Ticks of a time axis: positions in nanoseconds, words, and the unit they are in.
    function timeTicks(from, to, count) {
      const [unit, size] = timeUnit(to - from);
      const step = niceStep((to - from) / size, count) * size;
      const digits = Math.max(0, Math.ceil(-Math.log10(step / size) - 1e-9));
      const ticks = [];
      for (let time = Math.ceil(from / step) * step; time <= to; time += step) ticks.push([time, (time / size).toFixed(digits)]);
      return { ticks, unit };
    }

    const axisWords = {
      bytes: (value) => value >= 1e6 ? `${trim((value / 1e6).toPrecision(4))} M` : value >= 1e4 ? `${trim((value / 1e3).toPrecision(4))} k` : String(value),
      count: (value) => Number.isInteger(value) ? String(value) : "",
    };

    class Chart {
      // - title: what stands above it. unit: "bytes", "count" or "time". label: the name of the upright axis.
      // - draw(chart): adds what is seen with `steps`, `band`, `mark` and so on, once `x` and `y` are known.
      // - top(): the greatest value in view.
      constructor(parent, { title, unit, label, height = 180, top, draw }) {
        Object.assign(this, { title, unit, label, height, top, draw, hidden: new Set(), series: [] });
        this.legend = h("div", { class: "legend" });
        this.svg = s("svg", { class: "chart", role: "img", "aria-label": title });
        this.figure = h("figure", { class: "graph" }, h("figcaption", {}, h("h3", {}, title), this.legend), this.svg);
        parent.append(this.figure);
        this.listen();
      }

      listen() {
        let start = null;
        const timeAt = (event) => this.timeAt(event.clientX - this.svg.getBoundingClientRect().left);
        this.svg.addEventListener("pointerdown", (event) => { start = event.clientX; this.svg.setPointerCapture(event.pointerId); });
        this.svg.addEventListener("pointermove", (event) => {
          if (start === null || Math.abs(event.clientX - start) < 5) return;
          const left = this.svg.getBoundingClientRect().left;
          const [a, b] = [start - left, event.clientX - left].sort((one, other) => one - other);
          this.selection.setAttribute("x", a);
          this.selection.setAttribute("width", b - a);
        });
        this.svg.addEventListener("pointerup", (event) => {
          if (start === null) return;
          const left = this.svg.getBoundingClientRect().left;
          if (Math.abs(event.clientX - start) < 5) lab.goToTime(timeAt(event));
          else {
            const [from, to] = [this.timeAt(start - left), timeAt(event)].sort((a, b) => a - b);
            lab.setView(from, to);
          }
          start = null;
        });
        this.svg.addEventListener("pointercancel", () => { start = null; this.render(); });
        this.svg.addEventListener("wheel", (event) => {
          if (!event.ctrlKey) return;
          event.preventDefault();
          lab.zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
        }, { passive: false });
      }

      timeAt(x) {
        const { from, to } = lab.view;
        return from + (x - this.left) / (this.right - this.left) * (to - from);
      }

      x(time) {
        const { from, to } = lab.view;
        return this.left + (time - from) / (to - from) * (this.right - this.left);
      }

      y(value) { return this.bottom - (value - this.low) / (this.high - this.low) * (this.bottom - 12); }

      render() {
        const width = this.svg.clientWidth || this.svg.parentNode.clientWidth;
        if (!width) return;
        this.left = 64; this.right = width - 16; this.bottom = this.height - 34;
        this.low = 0; this.high = 1;
        const range = this.top(this);
        const [low, high] = Array.isArray(range) ? range : [0, range];
        let unitSize = 1, unit = this.unit === "count" ? "" : this.unit;
        if (this.unit === "time") [unit, unitSize] = timeUnit(high);
        const step = niceStep(Math.max(high - low, unitSize === 1 && this.unit === "count" ? 3 : 1) / unitSize, 4) * unitSize;
        this.low = Math.floor(low / step) * step;
        this.high = Math.max(this.low + step, Math.ceil(high * 1.0001 / step) * step);
        this.legend.replaceChildren();
        this.svg.replaceChildren();
        this.svg.setAttribute("height", this.height);
        this.svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
        const clip = `clip-${Chart.count = (Chart.count || 0) + 1}`;
        this.bands = s("g", { "clip-path": `url(#${clip})` });
        this.plot = s("g", { "clip-path": `url(#${clip})` });
        const axes = s("g", { class: "axes" });
        for (let value = this.low; value <= this.high + step / 2; value += step) {
          const words = this.unit === "time" ? trim((value / unitSize).toPrecision(6)) : axisWords[this.unit](Math.round(value));
          axes.append(s("line", { class: "grid", x1: this.left, x2: this.right, y1: this.y(value), y2: this.y(value) }),
            s("text", { x: this.left - 8, y: this.y(value) + 4, "text-anchor": "end" }, words));
        }
        const { ticks, unit: timeName } = timeTicks(lab.view.from, lab.view.to, (this.right - this.left) / 90);
        for (const [time, words] of ticks) {
          axes.append(s("line", { class: "tick", x1: this.x(time), x2: this.x(time), y1: this.bottom, y2: this.bottom + 4 }),
            s("text", { x: this.x(time), y: this.bottom + 16, "text-anchor": "middle" }, words));
        }
        axes.append(s("line", { class: "axis", x1: this.left, x2: this.right, y1: this.bottom, y2: this.bottom }),
          s("text", { class: "label", x: this.right, y: this.height - 3, "text-anchor": "end" }, `time (${timeName})`),
          s("text", { class: "label", transform: `translate(12 ${(this.bottom + 12) / 2}) rotate(-90)`, "text-anchor": "middle" },
            unit ? `${this.label} (${unit})` : this.label));
        this.cursor = s("line", { class: "cursor", y1: 8, y2: this.bottom });
        this.selection = s("rect", { class: "selection", x: 0, y: 8, width: 0, height: this.bottom - 8 });
        this.svg.append(
          s("clipPath", { id: clip }, s("rect", { x: this.left, y: 0, width: Math.max(0, this.right - this.left), height: this.bottom + 1 })),
          this.bands, axes, this.plot, this.selection, this.cursor);
        this.draw(this);
        this.moveCursor();
      }

      moveCursor() {
        if (!this.cursor) return;
        const x = this.x(lab.time), seen = x >= this.left - 0.5 && x <= this.right + 0.5;
        this.cursor.setAttribute("x1", x);
        this.cursor.setAttribute("x2", x);
        this.cursor.style.display = seen ? "" : "none";
      }

      // MARK: What is seen

      // An entry of the legend, which hides and shows what it names. Whether it is shown.
      entry(name, style, sample) {
        const shown = !this.hidden.has(name);
        const button = h("button", {
          type: "button", class: "entry", "aria-pressed": String(shown), title: shown ? `hide ${name}` : `show ${name}`,
          onclick: () => {
            if (shown) this.hidden.add(name); else this.hidden.delete(name);
            this.render();
            this.legend.querySelector(`[data-name="${name}"]`)?.focus();
          }, "data-name": name,
        }, s("svg", { width: 26, height: 12, "aria-hidden": "true" }, sample || s("path", { class: `line ${style}`, d: "M1 6H25" })), name);
        this.legend.append(button);
        return shown;
      }

      // A line that keeps each value until the next. Values below 0 are gaps.
      steps(name, style, times, values) {
        if (!this.entry(name, style)) return;
        const { from, to } = lab.view;
        let path = "", open = false, column = null, top, bottom, last;
        // What lies in one column of pixels is drawn once, from its least to its greatest.
        const finish = () => {
          if (column === null) return;
          path += open ? `H${column}` : `M${column} ${last}`;
          if (top !== bottom) path += `V${top}V${bottom}`;
          path += `V${last}`;
          open = true;
          column = null;
        };
        const first = Math.max(0, lastAtOrBefore(times, from));
        for (let index = first; index < times.length && (index === first || times[index - 1] <= to); index++) {
          if (values[index] < 0) { finish(); open = false; continue; }
          const x = Math.round(this.x(times[index]) * 2) / 2, y = Math.round(this.y(values[index]) * 10) / 10;
          if (x !== column) {
            finish();
            [column, top, bottom] = [x, y, y];
            // The value until here is part of the column, too.
            if (open) [top, bottom] = [Math.min(y, last), Math.max(y, last)];
          }
          [top, bottom, last] = [Math.min(top, y), Math.max(bottom, y), y];
        }
        finish();
        if (open && times.length && times.at(-1) <= to) path += `H${this.x(Math.min(to, duration)).toFixed(1)}`;
        this.plot.append(s("path", { class: `line ${style}`, d: path }));
      }

      band(from, to, style, words) {
        const a = Math.max(this.left, this.x(from)), b = Math.min(this.right, this.x(to));
        if (b <= a) return;
        this.bands.append(s("rect", { class: `band ${style}`, x: a, y: 8, width: b - a, height: this.bottom - 8 }));
        if (words && b - a > 7 * words.length) this.bands.append(s("text", { class: "bandname", x: a + 4, y: 20 }, words));
      }

      // A cross where something died.
      cross(time, y, title) {
        const x = this.x(time);
        if (x < this.left || x > this.right) return;
        this.plot.append(s("path", { class: "cross", d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` }, s("title", {}, title)));
      }
    }

    """#,
    #"""
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
        lab.goToTime(lab.time + passed * this.speed);
        const frame = lab.at >= 0 ? events.frame[lab.at] : -1;
        if (frame >= 0) lab.selectFrame(frame);
        if (lab.time >= duration) this.stop(); else requestAnimationFrame((next) => this.tick(next));
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
        const wanted = kinds.map((kind) => ["dropped", "lost", "fault", "timeout", "retransmitted"].includes(kind));
        for (let index = lab.at + direction; index >= 0 && index < eventCount; index += direction) {
          if (wanted[events.kind[index]]) return lab.goTo(index);
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
        player.speed = fit;
        select.addEventListener("change", () => { player.speed = Number(select.value); });
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
        const isBad = kinds.map((kind) => ["dropped", "fault", "timeout"].includes(kind));
        for (let index = 0; index < eventCount; index++) {
          const column = Math.min(columns - 1, Math.floor(events.time[index] / duration * columns));
          counts[column]++;
          bad[column] ||= isBad[events.kind[index]];
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

    """#,
    #"""
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
        const busy = points.map((_, end) => text("small busy", isFlat ? 22 + 13 * end : 14, ""));
        if (isFlat) places.append(text("linkname", -42, rateText(link.rate)), text("small", -29, spanText(link.delay) + faults), ...busy);
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
          hub: () => [s("rect", { class: "shape", x: -22, y: -11, width: 44, height: 22, rx: 11 }), s("path", { class: "detail", d: "M-14 0h28" })],
        };
        group.append(...(shapes[node.kind] || shapes.host)(), s("text", { class: "name", y: 34, "text-anchor": "middle" }, node.name));
        if (this.spacing > 128 || this.columns.length < 2) {
          const lines = node.interfaces.flatMap((one) => one.addresses.map((address) => `${one.name} ${address}`));
          if (!lines.length && node.kind !== "host") lines.push(node.kind);
          lines.slice(0, this.notes).forEach((line, number) => {
            const words = number === this.notes - 1 && lines.length > this.notes ? number ? `and ${lines.length - number} more` : `${lines.length} addresses` : line;
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

    """#,
    #"""
    // The list of events: only the rows in sight exist. Filters, and what led to an event and what came of it.

    const eventList = {
      rowHeight: 24, shown: [], hiddenKinds: new Set(), text: "", node: -1, flow: -1, chain: new Set(),

      start() {
        this.box = $("events");
        this.rows = $("rows");
        this.effects = new Map();
        events.cause.forEach((cause, index) => {
          if (cause >= 0) this.effects.set(cause, [...(this.effects.get(cause) || []), index]);
        });
        const counts = new Array(kinds.length).fill(0);
        events.kind.forEach((kind) => counts[kind]++);
        kinds.forEach((kind, index) => {
          const [sign, style] = kindStyle(kind);
          const chip = h("button", { type: "button", class: `chip ${style}`, "aria-pressed": "true", onclick: () => {
            const hidden = this.hiddenKinds.has(index);
            if (hidden) this.hiddenKinds.delete(index); else this.hiddenKinds.add(index);
            chip.setAttribute("aria-pressed", String(hidden));
            this.filter();
          } }, h("span", { class: "sign", "aria-hidden": "true" }, sign), `${kind} `, h("small", {}, counts[index]));
          $("kinds").append(chip);
        });
        this.fillSelect($("filter-node"), "every node", nodes.map((node) => node.name), (value) => { this.node = value; });
        this.fillSelect($("filter-flow"), "every flow", flows.map((flow) => flow.name), (value) => { this.flow = value; });
        $("filter-text").addEventListener("input", () => { this.text = $("filter-text").value.toLowerCase(); this.filter(); });
        $("filter-clear").addEventListener("click", () => this.clear());
        this.box.addEventListener("scroll", soon(() => this.draw()));
        this.box.addEventListener("keydown", (event) => this.key(event));
        new ResizeObserver(soon(() => this.draw())).observe(this.box);
        lab.on("time", () => this.moved());
        this.filter();
      },

      fillSelect(select, all, names, choose) {
        select.append(h("option", { value: -1 }, all), ...names.map((name, index) => h("option", { value: index }, name)));
        select.addEventListener("change", () => { choose(Number(select.value)); this.filter(); });
      },

      clear() {
        this.hiddenKinds.clear();
        this.text = $("filter-text").value = "";
        this.node = this.flow = -1;
        $("filter-node").value = $("filter-flow").value = -1;
        for (const chip of $("kinds").children) chip.setAttribute("aria-pressed", "true");
        this.filter();
      },

      // What is said of an event: its own words, and those of its packet, without what a list has no room for if `isShort`.
      words(index, isShort = false) {
        const frame = events.frame[index], text = events.text[index];
        if (frame < 0) return text;
        const packet = `${frames.layer[frame]} ${isShort ? shortWords(frame) : frames.text[frame]}`;
        if (text.includes("\u0001")) return text.replace("\u0001", packet);
        return ["sent", "received", "forwarded"].includes(kinds[events.kind[index]]) ? packet : `${text}: ${packet}`;
      },

      filter() {
        this.shown = [];
        for (let index = 0; index < eventCount; index++) {
          if (this.hiddenKinds.has(events.kind[index])) continue;
          if (this.node >= 0 && events.node[index] !== this.node) continue;
          if (this.flow >= 0 && events.flow[index] !== this.flow) continue;
          if (this.text && !`${nodeName(events.node[index])} ${kinds[events.kind[index]]} ${this.words(index)}`.toLowerCase().includes(this.text)) continue;
          this.shown.push(index);
        }
        const all = this.shown.length === eventCount;
        $("count").textContent = all ? `${eventCount} events` : `${this.shown.length} of ${eventCount} events`;
        $("filter-clear").hidden = all;
        this.rows.style.height = `${this.shown.length * this.rowHeight}px`;
        $("nothing").hidden = this.shown.length > 0;
        this.reveal();
        this.draw();
      },

      // The row of the event that happened last among those shown.
      get current() { return lastAtOrBefore(this.shown, lab.at); },

      moved() {
        this.chain = new Set();
        for (let index = lab.at; index >= 0 && !this.chain.has(index); index = events.cause[index]) this.chain.add(index);
        this.reveal();
        this.draw();
        this.tellCauses();
      },

      reveal() {
        const top = this.current * this.rowHeight, height = this.box.clientHeight;
        if (top < this.box.scrollTop || top + this.rowHeight > this.box.scrollTop + height) {
          this.box.scrollTop = Math.max(0, top - height / 2);
        }
      },

      draw() {
        const first = Math.max(0, Math.floor(this.box.scrollTop / this.rowHeight) - 4);
        const count = Math.ceil(this.box.clientHeight / this.rowHeight) + 8;
        const current = this.current;
        const rows = [];
        for (let row = first; row < Math.min(this.shown.length, first + count); row++) rows.push(this.row(row, row === current));
        this.rows.replaceChildren(...rows);
        if (current >= first && current < first + count) this.box.setAttribute("aria-activedescendant", `row-${this.shown[current]}`);
        else this.box.removeAttribute("aria-activedescendant");
      },

      row(row, isCurrent) {
        const index = this.shown[row], kind = kinds[events.kind[index]] ?? "", [sign, style] = kindStyle(kind);
        const exact = isCurrent && index === lab.at;
        return h("div", {
          class: ["row", style, exact ? "current" : isCurrent ? "near" : "", this.chain.has(index) && !exact ? "cause" : "", index > lab.at ? "future" : ""].join(" "),
          style: `top:${row * this.rowHeight}px`, id: `row-${index}`, role: "option", "aria-selected": String(exact),
          "aria-posinset": row + 1, "aria-setsize": this.shown.length, title: this.words(index),
          onclick: () => { player.stop(); lab.goTo(index); },
        }, h("span", { class: "time" }, (events.time[index] / 1e6).toFixed(3)), h("span", { class: "place" }, nodeName(events.node[index])),
        h("span", { class: "sign", "aria-hidden": "true" }, sign), h("span", { class: "kind" }, kind), h("span", { class: "words" }, this.words(index, true)));
      },

      key(event) {
        const rows = Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 1);
        const move = { ArrowDown: 1, ArrowUp: -1, PageDown: rows, PageUp: -rows }[event.key];
        if (!move || !this.shown.length) return;
        event.preventDefault();
        event.stopPropagation();
        player.stop();
        lab.goTo(this.shown[Math.max(0, Math.min(this.shown.length - 1, this.current + move))]);
      },

      link(index) {
        return h("button", { type: "button", class: "eventlink", onclick: () => { player.stop(); lab.goTo(index); } },
          h("b", {}, `#${index} ${nodeName(events.node[index])} ${kinds[events.kind[index]]}`), ` ${this.words(index, true)}`,
          h("small", {}, ` ${spanText(Math.abs(events.time[lab.at] - events.time[index]))} ${index <= lab.at ? "before" : "later"}`));
      },

      tellCauses() {
        const box = $("causes");
        if (lab.at < 0) { box.replaceChildren(h("p", { class: "quiet" }, "Nothing has happened yet.")); return; }
        const words = h("p", {}, h("b", {}, `#${lab.at} ${nodeName(events.node[lab.at])} ${kinds[events.kind[lab.at]]}`), ` ${this.words(lab.at)}`);
        const causes = [...this.chain].slice(1);
        const effects = this.effects.get(lab.at) || [];
        const list = (title, items) => items.length
          ? [h("h4", {}, title), h("ol", {}, items.slice(0, 12).map((index) => h("li", {}, this.link(index)))),
            items.length > 12 ? h("p", { class: "quiet" }, `and ${items.length - 12} more`) : null]
          : [];
        box.replaceChildren(...[words, list("because of", causes), list("led to", effects)].flat().filter(Boolean));
      },
    };

    """#,
    #"""
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
          return { start, end: start + (end - start) * part, y0, y1, y2, y3 };
        });
      },

      style(frame) { return isAgain(frame) ? "again" : segmentClass(frame); },

      drawDense(seen) {
        const edges = new Map(), crosses = [], drawn = new Set();
        for (const frame of seen) {
          const style = this.style(frame);
          for (const { start, end, y0, y1, y2 } of this.places(frame)) {
            if (isLost(frame)) crosses.push(this.grave(frame, end, y2, end > start));
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

      grave(frame, x, y, isRightward) {
        if (x > this.svg.clientWidth - 20 - 6 * frames.lost[frame].length) isRightward = false;
        return [s("path", { class: "cross big", d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10` }, s("title", {}, `lost: ${frames.lost[frame]}`)),
          s("text", { class: "small bad", x: x + (isRightward ? 10 : -10), y: y + 4, "text-anchor": isRightward ? "start" : "end" }, frames.lost[frame])];
      },

      // One shape for each receiver.
      flight(frame, isLabelled) {
        return this.places(frame).map(({ start, end, y0, y1, y2, y3 }) => {
          const group = s("g", { class: `flight ${this.style(frame)}`, "data-frame": frame, onclick: () => { player.stop(); this.choose(frame); } },
            s("title", {}, `${frames.layer[frame]} ${frames.text[frame]}\n${momentText(frames.departure[frame])} → ${momentText(frames.arrival[frame])}`
              + (isLost(frame) ? `\nlost: ${frames.lost[frame]}` : "")));
          if (y3 - y0 > 1.5) group.append(s("path", { class: "bits", d: `M${start} ${y0}L${end} ${y1}V${y2}L${start} ${y3}Z` }));
          group.append(s("line", { class: "edge", x1: start, y1: y0, x2: end, y2: y1 }), s("line", { class: "hit", x1: start, y1: (y0 + y3) / 2, x2: end, y2: (y1 + y2) / 2 }));
          if (isLost(frame)) group.append(...this.grave(frame, end, y2, end > start));
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
      return frames.text[frame].replace(/^\d+ → \d+ +/, "").replace(/ +window \d+/, "").replace(/ {2,}/g, "  ");
    }

    """#,
    #"""
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
          if (!list.length || !chart.entry(name, style, s("path", { class: `line ${style}`, d: "M13 1V11M10 1H16M10 11H16" }))) return;
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
        const kept = all.client.map((_, index) => index).filter((index) => all.client[index] === wanted);
        this.sampleCache = Object.fromEntries(names.map((name) => [name, kept.map((index) => all[name][index])]));
        return Object.assign(this.sampleCache, { flow: lab.flow, choice: $("direction").value, node: wanted ? flows[lab.flow].client : flows[lab.flow].server });
      },

      most(chart, entries) {
        const samples = this.samples();
        const first = Math.max(0, lastAtOrBefore(samples.time, lab.view.from)), last = lastAtOrBefore(samples.time, lab.view.to);
        let most = 1;
        for (const [name, column] of entries) {
          if (chart.hidden.has(name)) continue;
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
              this.phases(chart, samples);
              for (const [name, column, style] of entries) if (samples[column]) chart.steps(name, style, samples.time, samples[column]);
              this.losses(chart);
            },
          });
          this.charts.windows.push(chart);
          return chart;
        };
        panel("Windows", "bytes", "window", [
          ["cwnd", "cwnd", "a"], ["ssthresh", "ssthresh", "b"], ["receive window", "window", "c"], ["in flight", "flight", "d"],
        ]).hidden.add("receive window");
        panel("Round trip and time-out", "time", "time", [["RTT", "rtt", "a"], ["RTO", "rto", "b"]]);
        panel("Buffers", "bytes", "waiting", [["send buffer", "sendQueue", "a"], ["receive buffer", "receiveQueue", "c"]]);
      },

      phases(chart, samples) {
        for (let index = 0; index < samples.time.length;) {
          let next = index;
          while (next < samples.time.length && samples.phase[next] === samples.phase[index]) next++;
          const end = next < samples.time.length ? samples.time[next] : duration, phase = samples.phase[index];
          chart.band(samples.time[index], end, `phase-${phase.replace(/ /g, "-")}`, phase);
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
              chart.steps("waiting", "a", lane.times, lane.frames);
              if (drops.length && chart.entry("lost ✕", "lost", s("path", { class: "cross", d: "M9 2l8 8m0 -8l-8 8" }))) {
                for (const frame of drops) chart.cross(frames.arrival[frame], 18, `lost: ${frames.lost[frame]}`);
              }
            },
          }));
        }));
      },
    };

    """#,
    #"""
    // A packet: on each link how its headers nest, what changed since the link before, and each header in rows of 32 bits.

    const packetView = {
      layer: 0,

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
          h("div", { class: "hops" }, hops.map((hop) => this.hop(hop))),
          h("div", { class: "anatomy" }, this.header(layers[this.layer]), this.dump(layers)));
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

    """#,
    #"""
    // A node's tables as they are at the moment shown, and why a packet takes the row it takes.

    const tableKinds = [
      ["routes", "Routes", "no routes"], ["neighbors", "Neighbours", "no neighbours"],
      ["stations", "Stations (MAC table)", "no station has been heard"], ["sockets", "Sockets (demultiplexing)", "no sockets"],
    ];

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

      // A node's table of a kind now, and the one before it.
      versions(kind) {
        const all = tables.filter((table) => table.node === lab.node && table.kind === kind && table.time <= lab.time);
        return [all.at(-1), all.at(-2)];
      },

      // The destination that is asked about: typed, or that of the packet chosen.
      subject() {
        if (this.asked) return { address: this.question, mac: this.question, typed: true };
        if (lab.frame < 0) return null;
        const bytes = bytesOf(lab.frame), layers = dissect(bytes);
        const internet = layers.find((layer) => layer.destination), transport = layers.find(({ name }) => name === "TCP" || name === "UDP");
        const ethernet = layers.find(({ name }) => name === "Ethernet");
        return {
          address: internet?.destination, source: internet?.source, mac: ethernet ? macText(bytes, 0) : undefined,
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
          const [table, before] = this.versions(kind);
          if (!table && !tables.some((one) => one.node === lab.node && one.kind === kind)) continue;
          const verdicts = table && subject ? this.why(kind, table, subject, nextHop) : null;
          if (kind === "routes" && verdicts) nextHop = verdicts.nextHop ?? nextHop;
          boxes.push(this.table(title, empty, table, before, verdicts));
        }
        $("tables").replaceChildren(...(boxes.length ? boxes : [h("p", { class: "quiet" }, `${nodeName(lab.node)} has told of no tables.`)]));
      },

      table(title, empty, table, before, verdicts) {
        const known = new Set((before?.rows || []).map((row) => row.join("\u0000")));
        const body = table?.rows.length
          ? h("table", {},
            h("thead", {}, h("tr", {}, table.columns.map((name) => h("th", { scope: "col" }, name)), verdicts ? h("th", { scope: "col" }, "why") : null)),
            h("tbody", {}, table.rows.map((row, index) => h("tr", {
              class: [before && !known.has(row.join("\u0000")) ? "fresh" : "", verdicts?.winner === index ? "winner" : ""].join(" "),
            }, row.map((cell) => h("td", {}, cell)), verdicts ? h("td", { class: "why" }, verdicts.winner === index ? "▶ " : "", verdicts.words[index]) : null))))
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
          used.map((node) => h("td", { class: "number" }, value(name, node)?.replace(/\B(?=(\d{3})+$)/g, "\u202f") ?? "–"))));
        const table = (title, list) => list.length ? [h("h3", {}, title), h("div", { class: "scroll" }, h("table", {},
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "at the end of the run"), used.map((node) => h("th", { scope: "col", class: "number" }, nodeName(node))))),
          h("tbody", {}, rows(list))))] : [];
        $("counters").append(...table("Copies", names.filter(isCopy)), ...table("Counters", names.filter((name) => !isCopy(name))));
      },
    };

    """#,
    #"""
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
      $("flow").value = lab.flow;
      showFlow();
    }

    start();

    """#,
  ]
}
