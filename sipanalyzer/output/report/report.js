/* The report's page: what its parts share. Unpacking of what lies in the page, making of elements, addresses, colours.
 *
 * All scripts of the page are one program in one function, in the order report, tables, call, charts, start. Whatever
 * comes from the wire becomes text of an element (make), never markup.
 */
var root = document.documentElement;
var head = null; // what data-head holds
var unpacked = new Map(); // promises by name

/* An element with text. `attributes` become properties where they begin with "on", attributes otherwise. */
function make(tag, attributes, children) {
  var node = document.createElement(tag);
  Object.keys(attributes || {}).forEach(function (name) {
    var value = attributes[name];
    if (value === null || value === undefined || value === false) { return; }
    if (name.startsWith("on")) { node.addEventListener(name.slice(2), value); }
    else if (name === "class") { node.className = value; }
    else { node.setAttribute(name, value === true ? "" : String(value)); }
  });
  [].concat(children === undefined ? [] : children).forEach(function (child) {
    if (child !== null && child !== undefined) { node.append(child); } // a string becomes a text node
  });
  return node;
}

function byId(name) { return document.getElementById(name); }

/* Text of a compressed block, once; rejects where there is none. */
function unpack(name) {
  if (!unpacked.has(name)) {
    unpacked.set(name, (async function () {
      var block = byId(name);
      if (!block) { throw new Error("the page has no block " + name); }
      var letters = atob(block.textContent), bytes = new Uint8Array(letters.length);
      for (var at = 0; at < letters.length; at += 1) { bytes[at] = letters.charCodeAt(at); }
      return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    }()));
  }
  return unpacked.get(name);
}

var readings = new Map();

/* Data of a compressed block, once. */
function read(name) {
  if (!readings.has(name)) {
    readings.set(name, unpack(name).then(function (text) { unpacked.delete(name); return JSON.parse(text); }));
  }
  return readings.get(name);
}

var libraries = new Map();

/* A library that lies in the page runs, once; the policy knows it by its hash. */
function library(name, ready) {
  if (!libraries.has(name)) {
    libraries.set(name, unpack("script-" + name).then(async function (script) {
      if (byId("style-" + name)) {
        var style = make("style");
        style.textContent = await unpack("style-" + name);
        document.head.insertBefore(style, document.head.querySelector("style")); // ours come later and win
      }
      var node = document.createElement("script");
      node.textContent = script;
      document.head.append(node);
      unpacked.delete("script-" + name);
      if (!ready()) { throw new Error("the browser did not run " + name); }
    }));
  }
  return libraries.get(name);
}

/* ---- words ---- */

var PLACES = { ms: 2, s: 2, "%": 2, ppm: 1, "kbit/s": 1 };
var OUTCOMES = {
  completed: "answered", "in-call": "answered", busy: "unanswered", "no-answer": "unanswered", cancelled: "unanswered",
  redirected: "unanswered", failed: "failed", rejected: "failed", setup: "unknown", ringing: "unknown"
};
var OUTCOME_MARKS = { answered: "\u2713", unanswered: "\u25cb", failed: "\u2715", unknown: "\u2026" };

/* A cell as people read it. */
function shown(value, unit, dtype, name) {
  if (value === null || value === undefined) { return ""; }
  if (typeof value === "boolean") { return value ? "yes" : "no"; }
  if (name === "value" && Number.isInteger(value)) { return String(value); } // of the statistics: counts and figures in one column
  if (typeof value === "number" && dtype === "float") { return value.toFixed(unit in PLACES ? PLACES[unit] : 2); }
  return String(value);
}

function severityChip(severity) {
  if (!severity) { return null; }
  var mark = make("span", { class: "mark", "aria-hidden": "true" }, head.symbols[severity] || "");
  return make("span", { class: "chip " + severity }, [mark, severity]);
}

function stateChip(state) {
  var kind = Object.hasOwn(OUTCOMES, state) ? OUTCOMES[state] : "unknown";
  return make("span", { class: "state " + kind }, [
    make("span", { class: "mark", "aria-hidden": "true" }, OUTCOME_MARKS[kind]), String(state)
  ]);
}

function plural(count, word) { return count.toLocaleString("en") + " " + word + (count === 1 ? "" : "s"); }

function say(text) {
  var note = byId("note");
  note.hidden = !text;
  note.textContent = text || "";
}

/* ---- colours ---- */

var THEMES = ["auto", "light", "dark"];
var darkSystem = window.matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  var wish = root.dataset.theme;
  return wish === "dark" || (wish !== "light" && darkSystem.matches);
}

function colours() { return head.colours[isDark() ? "dark" : "light"]; }

function setTheme(wish) {
  root.dataset.theme = THEMES.indexOf(wish) < 0 ? "auto" : wish;
  root.classList.toggle("dark", isDark());
  byId("theme").textContent = "Colours: " + root.dataset.theme;
  try { localStorage.setItem("sipanalyzer-theme", root.dataset.theme); } catch (error) { /* a page from a file may not */ }
  document.dispatchEvent(new CustomEvent("theme"));
}

function startTheme() {
  var wish = "auto";
  try { wish = localStorage.getItem("sipanalyzer-theme") || "auto"; } catch (error) { /* as above */ }
  setTheme(wish);
  byId("theme").addEventListener("click", function () {
    setTheme(THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length]);
  });
  darkSystem.addEventListener("change", function () { setTheme(root.dataset.theme); });
}

/* ---- addresses: #calls, #calls&finding=high-loss, #call=12&message=3 ---- */

function parseAddress(hash) {
  var found = { view: "overview", values: new Map() };
  hash.replace(/^#/, "").split("&").forEach(function (part, at) {
    var cut = part.indexOf("="), name = cut < 0 ? part : part.slice(0, cut), value = cut < 0 ? null : part.slice(cut + 1);
    try { value = value === null ? null : decodeURIComponent(value); } catch (error) { /* as it is */ }
    if (at === 0 && name) { found.view = name; }
    if (value !== null) { found.values.set(name, value); }
  });
  return found;
}

function numberIn(address, name) {
  var value = address.values.get(name);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

function go(hash, replace) {
  if (replace) { history.replaceState(null, "", hash); route(); } else { location.hash = hash; }
}
