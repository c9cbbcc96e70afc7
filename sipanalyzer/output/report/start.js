/* What is in sight, by the address; keys; paper; the beginning. */
var scrolled = new Map(); // place on the page by address
var current = "";

/* What an address names comes in sight; the view. */
function point(address) {
  var view = address.view;
  if (!document.querySelector('section[data-view="' + CSS.escape(view) + '"]')) { view = "overview"; }
  document.body.dataset.view = view;
  document.querySelectorAll("section[data-view]").forEach(function (section) {
    section.classList.toggle("current", section.dataset.view === view);
  });
  document.querySelectorAll("#side [data-part]").forEach(function (link) {
    var here = link.dataset.part === (view === "call" ? "calls" : view);
    if (here) { link.setAttribute("aria-current", "page"); link.scrollIntoView({ block: "nearest", inline: "nearest" }); }
    else { link.removeAttribute("aria-current"); }
  });
  return view;
}

async function route() {
  var address = parseAddress(location.hash), before = document.body.dataset.view;
  if (current && current !== location.hash) { scrolled.set(current, window.scrollY); }
  var view = point(address), came = location.hash;
  var sameView = before === view && current !== "";
  current = came;
  if (view === "overview" && byId("unfold") && !unfolding) { unfolding = true; startFolding(byId("unfold")); } // it has heights now
  if (view !== "call") { closePanel(); if (opened) { leaveCall(); } }
  try {
    if (view === "call") {
      await showCall(numberIn(address, "call"), address);
    } else {
      if (!sameView) { window.scrollTo(0, scrolled.get(came) || 0); }
      var made = await showTable(view);
      if (made && made.follow) { made.follow(address.values.get("finding") || null); }
      if (!sameView && location.hash === came) { window.scrollTo(0, scrolled.get(came) || 0); }
      if (made) { focusBack(made); }
    }
  } catch (error) {
    say("This part of the page cannot be shown: " + error.message);
    throw error;
  }
}

var cameFrom = null; // row of the call that was left

/* Back in the table the row that was opened has the focus. */
function focusBack(made) {
  if (cameFrom === null || made.sheet.name !== "calls") { return; }
  var row = made.box.querySelector('tr[data-target="#call=' + cameFrom + '"]');
  cameFrom = null;
  if (row) { row.focus({ preventScroll: true }); }
}

function typing(event) {
  return event.target.closest && event.target.closest("input, select, textarea, [contenteditable]");
}

function pressStep(by) {
  if (!byId("panel").hidden) {
    var buttons = byId("panel").querySelectorAll(".panel-bar .step");
    buttons[by > 0 ? 1 : 0].click();
    return;
  }
  if (opened) {
    var beside = neighbours(opened.row), to = by > 0 ? beside.after : beside.before;
    if (to !== null) { go("#call=" + to, true); }
    return;
  }
  var made = loaded.get(document.body.dataset.view);
  if (!made) { return; }
  var row = document.activeElement.closest ? document.activeElement.closest("tr.opens") : null;
  if (row) { moveRow(made.api, row, by); }
  else { row = made.box.querySelector("tr.opens"); if (row) { row.focus(); } }
}

function startKeys() {
  var KEYS = [["/", "search"], ["j, k", "next, previous: call, row, message"], ["\u2190 \u2192", "previous, next call"],
    ["Enter", "open the row"], ["Esc", "close, back"]];
  byId("keys").addEventListener("click", function () {
    var box = make("dialog", { "aria-label": "Keys" }, [make("h2", {}, "Keys"), make("dl", {}, KEYS.flatMap(function (pair) {
      return [make("dt", {}, make("kbd", {}, pair[0])), make("dd", {}, pair[1])];
    })), make("button", { type: "button", class: "step", onclick: function () { box.close(); } }, "Close")]);
    box.addEventListener("close", function () { box.remove(); });
    document.body.append(box);
    box.showModal();
  });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) { return; }
    if (event.key === "Escape") {
      if (typing(event)) { event.target.blur(); }
      else if (!byId("panel").hidden) { leaveMessage(); }
      else if (opened) { back(); }
      return;
    }
    if (typing(event)) { return; }
    if (event.key === "/") { event.preventDefault(); focusSearch(); }
    else if (event.key === "j" || (event.key === "ArrowRight" && opened)) { pressStep(1); }
    else if (event.key === "k" || (event.key === "ArrowLeft" && opened)) { pressStep(-1); }
  });
}

function back() { go(lastList); }
var lastList = "#calls";

async function focusSearch() {
  if (!loaded.has(document.body.dataset.view)) { go("#calls"); await showTable("calls"); }
  var made = loaded.get(document.body.dataset.view);
  var input = made && made.box.querySelector(".dt-search input");
  if (input) { input.focus(); input.select(); }
}

/* On paper the calls stand in the order and choice of the table, so many as one cares to turn pages for. */
var MOST_PRINTED = 500;

function printCalls() {
  var made = loaded.get("calls"), table = byId("printed-calls");
  if (!made || !table) { return; }
  var rows = chosenCalls(), sheet = made.sheet, worst = sheet.headings.length - 1;
  var names = Array.from(table.tHead.rows[0].cells).map(function (cell) { return cell.dataset.name; });
  var places = names.map(function (name) { return name ? place(sheet, name) : worst; });
  table.tBodies[0].replaceChildren(...rows.slice(0, MOST_PRINTED).map(function (at) {
    return make("tr", {}, places.map(function (where) {
      var heading = sheet.headings[where], kind = { int: "number", float: "number", time: "time" }[heading[4]];
      return make("td", { class: kind }, cellNode(heading[0], sheet.rows[at][where], heading[2], heading[4], null));
    }));
  }));
  var more = byId("printed-more"), left = rows.length - MOST_PRINTED;
  if (more) { more.textContent = left > 0 ? "and " + left.toLocaleString("en") + " more." : ""; }
}

var unfolding = false;

/* A verdict of many sentences leaves room for what stands below it. */
function startFolding(button) {
  var verdict = button.closest(".verdict"), sentences = Array.from(verdict.querySelectorAll("li"));
  if (sentences.every(function (each) { return each.offsetHeight > 0 && each.scrollHeight <= each.clientHeight + 1; })) {
    button.hidden = true;
  }
  button.addEventListener("click", function () {
    var whole = verdict.classList.toggle("unfolded");
    button.textContent = whole ? "Read less" : "Read all of it";
    button.setAttribute("aria-expanded", String(whole));
  });
}

async function start() {
  root.classList.add("scripted");
  startTheme();
  startKeys();
  if (typeof DecompressionStream === "undefined") {
    root.classList.remove("scripted");
    root.classList.add("plain");
    say("This browser is too old to unpack the tables, calls and charts of this page (it has no DecompressionStream); what follows is the summary.");
    return;
  }
  point(parseAddress(location.hash)); // at once: the first screen is there before anything is unpacked
  head = await read("data-head");
  window.addEventListener("hashchange", function (event) {
    var before = parseAddress(new URL(event.oldURL).hash);
    if (before.view === "call") { cameFrom = numberIn(before, "call"); }
    else { lastList = new URL(event.oldURL).hash || "#overview"; }
    route();
  });
  window.addEventListener("beforeprint", printCalls);
  await route();
  if (!loaded.has("calls") && head.sheets.indexOf("calls") >= 0) {
    (window.requestIdleCallback || setTimeout)(function () { showTable("calls"); }); // so that it is there when it is wanted
  }
  root.dataset.ready = "";
}

start().catch(function (error) { say("This page cannot be shown whole: " + error.message); throw error; });
