/* One call: facts, findings, flow chart, messages beside it, streams. Unpacked when it is opened. */
var opened = null; // {row, detail, charts} of the call in sight

async function detailOf(row) {
  var at = head.detailed.indexOf(row);
  if (at < 0) { return null; }
  var part = await read("data-calls-" + Math.floor(at / head.chunk));
  return part[at % head.chunk];
}

/* Calls unpacked and left are let go: a page of thousands must not fill the memory. */
function forgetCalls() {
  var kept = Array.from(readings.keys()).filter(function (name) { return name.startsWith("data-calls-"); });
  kept.slice(0, -3).forEach(function (name) { readings.delete(name); });
}

/* `loss_percent` with `9.80 %` reads as loss: the unit stands with the figure. */
function factName(name, text) {
  return (/\d (ms|s|%|ppm|kbit\/s|B)$/.test(text) ? name.replace(/_(ms|s|percent|ppm|kbit_s|bytes)$/, "") : name).replaceAll("_", " ");
}

function factList(facts, name) {
  return make("dl", { class: "facts" + (name ? " " + name : "") }, facts.map(function (fact) {
    return make("div", { title: fact[2] ? fact[0] + ": " + fact[2] : null, class: fact[1].length > 60 ? "wide" : null },
      [make("dt", {}, factName(fact[0], fact[1])), make("dd", {}, fact[1])]);
  }));
}

/* Facts that a first look needs, in that order, and all of them folded away. */
function factParts(facts, wanted) {
  var first = wanted.map(function (name) { return facts.find(function (fact) { return fact[0] === name; }); }).filter(Boolean);
  return [
    first.length ? factList(first, "key") : null,
    make("details", {}, [make("summary", {}, "All " + facts.length + " facts"), factList(facts)])
  ].filter(Boolean);
}

var CALL_FACTS = ["src", "dst", "user_agent", "server", "post_dial_delay_ms", "setup_latency_ms", "duration_s", "released_by",
  "release_cause", "codecs", "loss_percent", "max_jitter_ms", "mos", "retransmissions", "one_way"];

function neighbours(row) {
  var order = chosenCalls();
  if (!order || order.indexOf(row) < 0) {
    return { before: row > 0 ? row - 1 : null, after: row + 1 < head.worst.length ? row + 1 : null };
  }
  var at = order.indexOf(row);
  return { before: at > 0 ? order[at - 1] : null, after: at + 1 < order.length ? order[at + 1] : null };
}

function stepLink(text, row, keys) {
  return make("a", { class: "step", href: row === null ? null : "#call=" + row, "aria-disabled": row === null ? "true" : null, title: keys }, text);
}

function crumbs(row) {
  var beside = neighbours(row);
  return make("div", { class: "crumbs" }, [
    make("a", { class: "step", href: "#calls", title: "Esc" }, "\u2190 All calls"),
    make("span", { class: "space" }),
    stepLink("Previous", beside.before, "k or left arrow"),
    stepLink("Next", beside.after, "j or right arrow")
  ]);
}

async function showCall(row, address) {
  if (opened && opened.row === row) { openParts(address); return; }
  leaveCall();
  var section = byId("call");
  section.replaceChildren(make("p", { class: "quiet" }, "Opening the call \u2026"));
  var sheet = await readCalls(), detail = row !== null && row < head.worst.length ? await detailOf(row) : null;
  if (parseAddress(location.hash).view !== "call" || numberIn(parseAddress(location.hash), "call") !== row) { return; }
  forgetCalls();
  if (!sheet || row === null || row >= sheet.rows.length) { // an address may say anything
    section.replaceChildren(make("p", {}, "There is no such call in this report."));
    return;
  }
  opened = { row: row, detail: detail, charts: null, address: address };
  section.replaceChildren(crumbs(row), ...(detail ? callParts(detail) : bareCall(sheet, row)));
  document.title = (detail ? detail.title : "Call") + " \u2013 " + head.title;
  window.scrollTo(0, 0);
  openParts(address);
}

function leaveCall() {
  if (opened && opened.charts) { opened.charts.remove(); }
  opened = null;
  byId("call").replaceChildren();
  document.title = head.title;
}

/* A call without a detail: its row, and how to see the rest. */
function bareCall(sheet, row) {
  var cells = sheet.rows[row], facts = [];
  sheet.headings.forEach(function (heading, at) {
    var text = shown(cells[at], heading[2], heading[4]);
    if (text && heading[0] !== "severity") { facts.push([heading[1], text, heading[3]]); }
  });
  var who = [cells[place(sheet, "caller")], cells[place(sheet, "callee")]].map(function (each) { return each || "?"; });
  return [
    make("header", { class: "call-head" }, make("h1", {}, who.join(" to "))),
    make("p", { class: "remark" }, "To keep this page small it holds the flow chart and messages of "
      + plural(head.detailed.length, "call") + ", those with the gravest findings first; not of this one."
      + (head.command ? " This shows it:" : "")),
    head.command ? make("pre", { class: "command" }, head.command) : null,
    factList(facts)
  ].filter(Boolean);
}

function callParts(detail) {
  var parts = [
    make("header", { class: "call-head" }, [
      make("h1", {}, detail.title),
      make("p", {}, [severityChip(detail.severity), detail.severity ? " " : null, detail.subtitle]),
      make("p", { class: "quiet small id" }, ["Call-ID ", make("code", {}, detail.call_id)])
    ])
  ];
  detail.remarks.forEach(function (remark) { parts.push(make("p", { class: "remark" }, remark)); });
  parts.push(...factParts(detail.facts, CALL_FACTS));
  if (detail.session.length) { parts.push(make("h2", {}, "Conversation"), legList(detail.session)); }
  if (detail.findings.length) {
    parts.push(make("h2", {}, "Findings"), ...detail.findings.map(function (each) { return findingNode(detail, each); }));
  }
  if (detail.flow) {
    var flow = flowNode(detail);
    if (flow) { parts.push(make("h2", {}, "Flow"), flow); }
  }
  if (detail.messages.length && !parts.some(function (part) { return part.classList.contains("flow"); })) {
    parts.push(make("h2", {}, "Messages"), messageList(detail));
  }
  if (detail.messages_left_out) {
    parts.push(make("p", { class: "quiet" }, plural(detail.messages_left_out, "more message") + " left out of this page."));
  }
  if (detail.streams.length) { parts.push(make("h2", {}, "Streams"), ...streamNodes(detail)); }
  if (detail.digits.length) { parts.push(make("h2", {}, "Keys pressed"), digitTable(detail.digits)); }
  parts.push(make("h2", {}, "Wireshark filter"), make("p", {}, make("code", {}, detail.filter)));
  return parts;
}

function findingNode(detail, finding) {
  var lines = [make("header", {}, [
    severityChip(finding.severity), make("h3", {}, finding.title || finding.code),
    make("code", { class: "quiet" }, finding.code), make("span", { class: "count" }, finding.time || "")
  ]), make("p", { class: "wire" }, finding.explanation)];
  if (finding.doubtful) { lines.push(make("p", { class: "doubt" }, [make("b", {}, "Doubtful: "), finding.doubtful + "."])); }
  if (finding.causes.length) {
    lines.push(make("p", { class: "quiet" }, "A consequence of " + finding.causes.join(", ") + "."));
  }
  if (finding.advice) { lines.push(make("p", { class: "advice" }, [make("b", {}, "What to do: "), finding.advice])); }
  if (finding.evidence.length) {
    var frames = make("p", { class: "quiet small" }, (finding.evidence.length === 1 ? "Frame " : "Frames "));
    finding.evidence.forEach(function (frame, at) {
      var message = detail.messages.findIndex(function (each) { return each.frame === frame && each.file === finding.file; });
      frames.append(at ? ", " : "", message < 0 ? String(frame)
        : make("a", { href: "#call=" + detail.row + "&message=" + message }, String(frame)));
    });
    frames.append((finding.more_evidence ? " and " + finding.more_evidence.toLocaleString("en") + " more" : "")
      + (finding.file ? " of " + finding.file : "") + (finding.affects ? ". Noticed by: " + finding.affects + "." : "."));
    lines.push(frames);
  }
  return make("article", { class: "finding " + finding.severity }, lines);
}

/* ---- the flow chart: an SVG document that is read as one, and stripped of all that a chart has no need of ---- */

var SVG = "http://www.w3.org/2000/svg";
var ELEMENTS = new Set(["svg", "g", "path", "line", "polyline", "polygon", "rect", "circle", "ellipse", "text", "tspan",
  "title", "desc", "defs", "marker", "pattern", "clipPath", "linearGradient", "stop", "use", "style"]);
var ATTRIBUTES = new Set(["class", "id", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "d",
  "points", "width", "height", "viewBox", "transform", "fill", "fill-opacity", "stroke", "stroke-width", "opacity",
  "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "text-anchor", "dominant-baseline", "font-size",
  "font-weight", "font-style", "font-family", "marker-end", "marker-start", "markerWidth", "markerHeight", "refX", "refY",
  "orient", "markerUnits", "patternUnits", "patternTransform", "clip-path", "offset", "stop-color", "role", "aria-label",
  "aria-labelledby", "aria-hidden", "tabindex", "textLength", "lengthAdjust", "xml:space", "preserveAspectRatio", "vector-effect"]);

function cleanSvg(node) {
  Array.from(node.children).forEach(function (child) {
    if (child.namespaceURI !== SVG || !ELEMENTS.has(child.localName)) { child.remove(); } else { cleanSvg(child); }
  });
  if (node.localName === "style" && /url\s*\(|@import|\\/i.test(node.textContent)) { node.remove(); return; }
  Array.from(node.attributes).forEach(function (attribute) {
    var name = attribute.name, value = attribute.value;
    var own = name === "href" && node.localName === "use" && value.startsWith("#");
    var allowed = ATTRIBUTES.has(name) || /^data-[a-z-]+$/.test(name) || own;
    if (!allowed || (/url\s*\(/i.test(value) && !/^url\(#[\w-]+\)$/.test(value))) { node.removeAttribute(name); }
  });
}

function flowNode(detail) {
  var parsed = new DOMParser().parseFromString(detail.flow, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg" || parsed.namespaceURI !== SVG) { return null; }
  cleanSvg(parsed);
  var drawing = document.importNode(parsed, true), box = make("div", { class: "flow", tabindex: "0", "aria-label": "Flow chart" }, drawing);
  drawing.querySelectorAll("[data-message], [data-stream]").forEach(function (node) {
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "button");
  });
  function follow(event) {
    var node = event.target.closest("[data-message], [data-stream]");
    if (!node || !box.contains(node)) { return false; }
    var message = node.dataset.message, stream = node.dataset.stream;
    go("#call=" + detail.row + (message !== undefined ? "&message=" + message : "&stream=" + stream),
      message !== undefined && !byId("panel").hidden);
    return true;
  }
  box.addEventListener("click", follow);
  box.addEventListener("keydown", function (event) {
    if ((event.key === "Enter" || event.key === " ") && follow(event)) { event.preventDefault(); }
  });
  return box;
}

function messageList(detail) {
  return make("ol", { class: "message-list" }, detail.messages.map(function (message, at) {
    return make("li", {}, make("button", { type: "button", class: message.retransmission ? "again" : null, onclick: function () {
      go("#call=" + detail.row + "&message=" + at, !byId("panel").hidden);
    } }, [
      make("span", {}, message.offset_s.toFixed(3)), make("span", {}, message.label + (message.retransmission ? " (again)" : "")),
      make("span", { class: "quiet" }, message.src + " \u2192 " + message.dst)
    ]));
  }));
}

function digitTable(digits) {
  return make("table", { class: "plain" }, [
    make("thead", {}, make("tr", {}, ["Time", "Keys", "Direction", "Method"].map(function (word) { return make("th", { scope: "col" }, word); }))),
    make("tbody", {}, digits.map(function (row) {
      return make("tr", {}, row.map(function (cell) { return make("td", {}, cell || ""); }));
    }))
  ]);
}

function legList(members) {
  return make("ul", { class: "legs" }, members.map(function (member) {
    var title = member.own ? make("span", { class: "own" }, member.title + " (this call)") : make("a", { href: "#call=" + member.row }, member.title);
    return make("li", {}, [title, " ", make("code", { class: "quiet small" }, member.call_id)]);
  }));
}

/* ---- a message beside the page ---- */

function openParts(address) {
  if (!opened) { return; }
  opened.address = address;
  var detail = opened.detail, message = numberIn(address, "message"), stream = streamPlace(detail, address);
  if (detail && message !== null && message < detail.messages.length) { openMessage(detail, message); } else { closePanel(); }
  byId("call").querySelectorAll(".chosen").forEach(function (node) { node.classList.remove("chosen"); });
  var found = message !== null ? '[data-message="' + message + '"]' : stream !== null ? '.stream[data-stream="' + stream + '"]' : null;
  var node = found ? byId("call").querySelector(found) : null;
  if (node) {
    node.classList.add("chosen");
    if (stream !== null) { node.scrollIntoView({ block: "center" }); } else { node.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  }
  if (detail && !opened.charts) { startCharts(detail); }
}

/* An address names a stream by its place in the call, or by its row in the table of streams. */
function streamPlace(detail, address) {
  var row = numberIn(address, "streamrow");
  if (detail && row !== null) { return detail.streams.findIndex(function (each) { return each.row === row; }); }
  return numberIn(address, "stream");
}

function openMessage(detail, at) {
  var panel = byId("panel"), message = detail.messages[at], last = detail.messages.length - 1;
  var before = message.previous === null ? null : detail.messages[message.previous];
  function step(text, to, keys) {
    var button = make("button", { type: "button", class: "step", title: keys, onclick: function () {
      go("#call=" + detail.row + "&message=" + to, true);
    } }, text);
    button.disabled = to < 0 || to > last;
    return button;
  }
  var close = make("button", { type: "button", class: "step", title: "Esc", onclick: leaveMessage }, "Close");
  var body = make("div", { class: "panel-body" }), place = make("div"), was = panel.hidden;
  var notes = [
    message.time + ", " + message.offset_s.toFixed(3) + " s into the call",
    message.src + " \u2192 " + message.dst + ", " + message.transport,
    "frame " + message.frame + (message.file ? " of " + message.file : "") + (message.retransmission ? ", sent again" : "")
  ];
  if (message.cut) { notes.push(plural(message.cut, "byte") + " at its end left out of this page."); }
  body.append(place);
  showMessage(place, {
    raw: message.raw, title: message.label, notes: notes, previous: before ? before.raw : undefined,
    previousTitle: before ? before.label + " of frame " + before.frame : undefined
  });
  if (message.defects.length) {
    body.append(make("h3", {}, "Not as the standard has it"), make("ul", { class: "defects" }, message.defects.map(function (defect) {
      return make("li", {}, defect[1] || defect[0]);
    })));
  }
  panel.replaceChildren(make("div", { class: "panel-bar" }, [
    step("Previous", at - 1, "k"), step("Next", at + 1, "j"),
    make("span", { class: "quiet small" }, (at + 1) + " of " + (last + 1)), make("span", { class: "space" }), close
  ]), body);
  panel.hidden = false;
  document.body.classList.add("panelled");
  if (was) { close.focus({ preventScroll: true }); }
}

function closePanel() {
  byId("panel").hidden = true;
  byId("panel").replaceChildren();
  document.body.classList.remove("panelled");
}

function leaveMessage() { go("#call=" + opened.row, true); }
