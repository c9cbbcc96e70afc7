/* Tables: DataTables on data that was unpacked; only the rows in sight become elements. */
var tables = new Map(); // promises of tables, by name
var loaded = new Map(); // {api, sheet, box, follow} of those that stand
var LONG = new Set(["explanation", "advice", "doubtful", "text", "meaning", "note", "doubts", "anomalies"]);
var QUALITY = new Set([
  "one-way-audio", "no-media", "late-media", "media-timeout", "high-loss", "high-jitter", "low-mos", "codec-mismatch",
  "nat-mismatch"
]);
var LISTED = new Set(["severity", "state", "transport", "direction", "media", "mos_scale", "matched", "grade", "type", "scope"]);

/* Columns that are shown at first, where the sheet's own choice is too wide for a screen. */
var SHOWN = {
  calls: new Set(["severity", "start", "caller", "callee", "state", "status_code", "duration_s", "post_dial_delay_ms", "loss_percent",
    "mos", "findings"]),
  streams: new Set(["start", "src", "src_port", "dst", "dst_port", "direction", "codec", "packets", "loss_percent", "max_jitter_ms",
    "mos", "findings", "call_id"]),
  findings: new Set(["severity", "code", "time", "call_id", "frame", "explanation"])
};

function place(sheet, name) {
  return sheet.headings.findIndex(function (each) { return each[0] === name; });
}

/* What DataTables reads for filters is parsed by it as markup where it holds "&": so it is escaped, and read back. */
function escaped(text) {
  return text.replace(/[&<>"']/g, function (sign) { return "&#" + sign.charCodeAt(0) + ";"; });
}

/* A number that is missing stands last, whichever way a column is sorted. */
function orderNumbers(library) {
  function lastMissing(sign) {
    return function (a, b) {
      if (a === b) { return 0; }
      if (a === null || a === "") { return 1; }
      if (b === null || b === "") { return -1; }
      return a < b ? -sign : sign;
    };
  }
  ["figure", "word"].forEach(function (type) {
    library.type(type, { order: { asc: lastMissing(1), desc: lastMissing(-1) }, className: type });
  });
}

/* The day, where all times of a column have it in common. */
function commonDay(rows, at) {
  var day = null;
  for (var row = 0; row < rows.length; row += 1) {
    var text = rows[row][at];
    if (text === null) { continue; }
    if (day === null) { day = text.slice(0, 10); } else if (text.slice(0, 10) !== day) { return null; }
  }
  return day;
}

function cellNode(name, value, unit, dtype, day) {
  if (name === "severity") { return severityChip(value) || ""; }
  if (name === "state" && Object.hasOwn(OUTCOMES, value || "")) { return stateChip(value); }
  var text = shown(value, unit, dtype, name);
  if (name === "findings" || name === "causes") { text = text.replaceAll(",", ", "); }
  if (day && dtype === "time") { text = text.slice(11); }
  return document.createTextNode(text);
}

/* Ratings on several scales (narrowband, wideband, fullband) are not comparable: then the scale stands with the figure,
 * they are sorted by scale first, and a filter names the scale. Gives where the scale is; -1 where there is one only. */
var RATINGS = new Set(["mos", "mos_min", "r_factor"]);
var SCALES = ["NB", "WB", "FB"];

function scaleOf(sheet, at) {
  var where = RATINGS.has(sheet.headings[at][0]) ? place(sheet, "mos_scale") : -1, first = null;
  var mixed = where >= 0 && sheet.rows.some(function (row) {
    if (row[at] === null || row[where] === null) { return false; }
    if (first === null) { first = row[where]; }
    return row[where] !== first;
  });
  return mixed ? where : -1;
}

function columnOf(sheet, at, ranked) {
  var heading = sheet.headings[at], name = heading[0], unit = heading[2], dtype = heading[4], scale = scaleOf(sheet, at);
  var day = dtype === "time" ? commonDay(sheet.rows, at) : null;
  var figure = dtype === "int" || dtype === "float";
  return {
    data: at,
    name: name,
    title: "",
    type: figure ? "figure" : "word",
    visible: Object.hasOwn(SHOWN, sheet.name) ? SHOWN[sheet.name].has(name) : ranked ? heading[5] !== null : true,
    className: (figure ? "figure" : "word") + (LONG.has(name) ? " long" : "") + (name === "findings" ? " findings" : ""),
    render: function (value, kind, row) {
      if (scale >= 0 && value !== null) {
        if (kind === "sort") { return 1000 * SCALES.indexOf(row[scale]) + value; }
        if (kind === "display" || kind === "filter") { return shown(value, unit, dtype) + " " + escaped(String(row[scale])); }
      }
      if (kind === "display") { return cellNode(name, value, unit, dtype, day); }
      if (kind === "filter") { return typeof value === "string" ? escaped(value) : shown(value, unit, dtype); }
      return value;
    }
  };
}

/* The row of filters below the headings: text that must be in a cell, `>5`, `<=20`, `3-7` of numbers, a list of few words. */
function matcher(text, dtype) {
  var wanted = text.trim().toLowerCase();
  if (!wanted) { return null; }
  if (dtype === "int" || dtype === "float") {
    var compared = /^(>=|<=|>|<|=)?\s*(-?\d+(?:\.\d+)?)$/.exec(wanted);
    var between = /^(-?\d+(?:\.\d+)?)\s*(?:-|\.\.|to)\s*(-?\d+(?:\.\d+)?)$/.exec(wanted);
    if (between) {
      return function (value) { return value !== null && value >= Number(between[1]) && value <= Number(between[2]); };
    }
    if (!compared) { return undefined; }
    var limit = Number(compared[2]);
    return {
      ">": function (value) { return value !== null && value > limit; },
      ">=": function (value) { return value !== null && value >= limit; },
      "<": function (value) { return value !== null && value < limit; },
      "<=": function (value) { return value !== null && value <= limit; },
      "=": function (value) { return value !== null && value === limit; },
      "": function (value) { return value !== null && String(value).startsWith(compared[2]); }
    }[compared[1] || ""];
  }
  var not = wanted.startsWith("!"), word = not ? wanted.slice(1) : wanted;
  return function (value, unit) {
    return not !== shown(value, unit, dtype).toLowerCase().includes(word);
  };
}

/* Likewise of ratings on several scales: `>4 NB`, `WB`. */
function scaleMatcher(text, dtype, scale) {
  var parts = /^(.*?)\s*([a-z]{2})?$/i.exec(text.trim()), wanted = (parts[2] || "").toUpperCase();
  if (!parts[0]) { return null; }
  var test = parts[1] ? matcher(parts[1], dtype) : function (value) { return value !== null; };
  if (!test || SCALES.indexOf(wanted) < 0) { return undefined; }
  return function (value, unit, row) { return row[scale] === wanted && test(value, unit); };
}

function filterInput(api, sheet, at) {
  var heading = sheet.headings[at], name = heading[0], unit = heading[2], dtype = heading[4], title = heading[1];
  var scale = scaleOf(sheet, at);
  function apply(test) {
    api.search.fixed("column-" + at, test ? function (text, row) { return test(row[at], unit, row); } : null).draw();
  }
  if (LISTED.has(name) || dtype === "bool") {
    var words = new Set();
    sheet.rows.forEach(function (row) { if (words.size < 30 && row[at] !== null) { words.add(shown(row[at], unit, dtype)); } });
    var select = make("select", { "aria-label": "Filter " + title, onchange: function () {
      var wish = select.value;
      apply(wish === "" ? null : function (value) { return shown(value, unit, dtype) === wish; });
    } }, [make("option", { value: "" }, "all")].concat(Array.from(words).sort().map(function (word) {
      return make("option", { value: word }, word);
    })));
    return select;
  }
  var figure = dtype === "int" || dtype === "float", waiting = 0;
  var input = make("input", {
    type: "text", "aria-label": "Filter " + title, spellcheck: "false", autocomplete: "off",
    placeholder: scale >= 0 ? "> NB" : figure ? ">" : "has", size: "4",
    title: scale >= 0 ? ">4 NB, <3.5 WB: scales cannot be compared with each other" : figure ? ">5, <=20, =3, 3-7" : "Text that it contains; !text: that it does not",
    oninput: function () {
      clearTimeout(waiting);
      waiting = setTimeout(function () {
        var test = scale >= 0 ? scaleMatcher(input.value, dtype, scale) : matcher(input.value, dtype);
        input.setAttribute("aria-invalid", String(test === undefined));
        if (test !== undefined) { apply(test); }
      }, 120);
    }
  });
  return input;
}

/* What a click on a row opens: the call that it tells of. */
function rowOpens(sheet) {
  if (sheet.name === "calls") { return function (row, at) { return "#call=" + at; }; }
  var at = place(sheet, "call_id"), stream = sheet.name === "streams";
  if (at < 0) { return null; }
  return function (row, index) {
    var call = callRows === null ? undefined : callRows.get(row[at]);
    return call === undefined ? null : "#call=" + call + (stream ? "&streamrow=" + index : "");
  };
}

var callRows = null; // Call-ID -> row of the sheet calls

async function readCalls() {
  if (head.sheets.indexOf("calls") < 0) { return null; }
  var sheet = await read("data-sheet-calls"), at = place(sheet, "call_id");
  if (callRows === null) {
    callRows = new Map();
    for (var row = sheet.rows.length - 1; row >= 0; row -= 1) { callRows.set(sheet.rows[row][at], row); }
  }
  return sheet;
}

async function showTable(name) {
  if (tables.has(name)) { return tables.get(name); }
  var box = document.querySelector('.sheet[data-sheet="' + CSS.escape(name) + '"]');
  if (!box || head.sheets.indexOf(name) < 0) { return null; }
  var promise = (async function () {
    box.classList.add("waiting");
    var parts = await Promise.all([
      read("data-sheet-" + name), readCalls(),
      library("datatables", function () { return window.DataTablesBundle; })
    ]);
    var made = makeTable(box, parts[0]);
    box.classList.remove("waiting");
    return made;
  }());
  tables.set(name, promise);
  return promise;
}

function dataTables() {
  var bundle = window.DataTablesBundle;
  var library = bundle.jQuery.fn.dataTable;
  if (!library.sipanalyzer) {
    library.sipanalyzer = true;
    library.ext.errMode = "throw";
    orderNumbers(library);
  }
  return library;
}

/* A heading in two lines at most: `post dial` above `delay, ms`. */
function folded(title) {
  var words = title.replace(/, (\S+)$/, ",\u00a0$1").split(" "), half = Math.ceil(words.length / 2);
  return words.slice(0, half).join("\u00a0") + (words.length > 1 ? " " + words.slice(half).join("\u00a0") : "");
}

function makeTable(box, sheet) {
  var Table = dataTables(), calls = sheet.name === "calls", opens = rowOpens(sheet);
  var ranked = sheet.headings.some(function (each) { return each[5] !== null; });
  var columns = sheet.headings.map(function (heading, at) { return columnOf(sheet, at, ranked); });
  var rows = sheet.rows;
  if (calls) {
    var width = sheet.headings.length;
    rows.forEach(function (row, at) { row[width] = head.worst[at]; });
    sheet.headings.push(["severity", "", "", "severity of its worst finding", "text", 1]);
    var worst = columnOf(sheet, width, ranked);
    var show = worst.render, rank = { error: 0, warning: 1, info: 2 };
    worst.render = function (value, kind) { return kind === "sort" ? (value === null ? null : rank[value]) : show(value, kind); };
    columns.unshift(worst);
  }
  if (calls) { // beside the state, where a screen that is not wide still shows it
    var from = columns.findIndex(function (column) { return column.name === "findings"; });
    var to = columns.findIndex(function (column) { return column.name === "state"; });
    if (from > to && to >= 0) { columns.splice(to + 1, 0, columns.splice(from, 1)[0]); }
  }
  var headings = columns.map(function (column) { return sheet.headings[column.data]; });
  var element = make("table", { class: "display", "aria-label": sheet.title }, make("thead", {}, [
    make("tr", {}, headings.map(function (heading) {
      return make("th", { title: heading[0] + ": " + heading[3], scope: "col", "aria-label": heading[1] ? null : heading[0] }, folded(heading[1]));
    })),
    make("tr", { class: "filter-row" }, headings.map(function () { return make("td", {}, ""); }))
  ]));
  var quick = calls ? make("div", { class: "filters", role: "group", "aria-label": "Which calls" }) : null;
  box.append(...(quick ? [quick, element] : [element]));
  columns.forEach(function (column) { delete column.title; });
  var api = new Table(element, {
    data: rows,
    columns: columns,
    order: [],
    titleRow: 0,
    pageLength: 25,
    lengthMenu: [10, 25, 50, 100, 500],
    autoWidth: false,
    deferRender: true,
    processing: false,
    searchDelay: 80,
    layout: {
      topStart: "search",
      topEnd: { buttons: [{ extend: "colvis", text: "Columns", columns: ":gt(0)" }] },
      bottomStart: ["info", "pageLength"],
      bottomEnd: "paging"
    },
    language: {
      search: "", searchPlaceholder: "Search " + sheet.title.toLowerCase(), info: "_START_ to _END_ of _TOTAL_",
      infoFiltered: "(of _MAX_)", infoEmpty: "none", lengthMenu: "_MENU_ a page", zeroRecords: "Nothing fits the filters."
    },
    createdRow: function (node, row, index) {
      var target = opens ? opens(row, index) : null;
      Array.prototype.forEach.call(node.children, function (cell) {
        if (cell.textContent.length > 28) { cell.title = cell.textContent; }
      });
      if (target) {
        node.classList.add("opens");
        node.dataset.target = target;
        node.tabIndex = 0;
      }
    }
  });
  // the filters belong to columns, which may be hidden: DataTables moves the cells of a second row of headings itself
  api.columns().every(function (index) {
    var cell = api.column(index).header(1);
    if (cell) { cell.replaceChildren(filterInput(api, sheet, columns[index].data)); }
  });
  box.addEventListener("click", function (event) {
    var row = event.target.closest("tr.opens");
    if (row && !String(window.getSelection())) { go(row.dataset.target); }
  });
  box.addEventListener("keydown", function (event) {
    var row = event.target.closest("tr.opens");
    if (!row || event.target !== row) { return; }
    if (event.key === "Enter") { event.preventDefault(); go(row.dataset.target); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      moveRow(api, row, event.key === "ArrowDown" ? 1 : -1);
    }
  });
  var clear = make("button", { type: "button", class: "step clear", hidden: true, onclick: function () { made.clear(); } }, "Clear filters");
  box.querySelector(".dt-search").append(clear);
  api.on("draw", function () {
    var page = api.page.info();
    clear.hidden = page.recordsDisplay === page.recordsTotal && !api.search();
  });
  if (sheet.more) {
    box.append(make("p", { class: "quiet" }, plural(sheet.more, "more row") + " left out of this page."));
  }
  var made = { api: api, sheet: sheet, box: box, clear: function () {
    box.querySelectorAll(".filter-row input, .filter-row select").forEach(function (each) {
      each.value = "";
      each.removeAttribute("aria-invalid");
    });
    sheet.headings.forEach(function (heading, at) { api.search.fixed("column-" + at, null); });
    api.search("").order([]);
    if (made.all) { made.all(); } else { api.draw(); }
  } };
  if (calls) { Object.assign(made, quickFilters(quick, api, sheet)); }
  loaded.set(sheet.name, made);
  return made;
}

/* The row beside one in the order shown, turning the page where need be. */
function moveRow(api, row, by) {
  var rows = Array.from(row.parentNode.querySelectorAll("tr.opens")), at = row ? rows.indexOf(row) + by : 0;
  if (at >= 0 && at < rows.length) { rows[at].focus(); return; }
  var page = api.page.info();
  if (page.page + by < 0 || page.page + by >= page.pages) { return; }
  api.page(page.page + by).draw("page");
  rows = Array.from(api.table().body().querySelectorAll("tr.opens"));
  if (rows.length) { rows[by > 0 ? 0 : rows.length - 1].focus(); }
}

function quickFilters(box, api, sheet) {
  var state = place(sheet, "state"), codes = place(sheet, "findings");
  function outcome(wanted) {
    return function (row) { return Object.hasOwn(OUTCOMES, row[state] || "") && OUTCOMES[row[state]] === wanted; };
  }
  function hasCode(test) {
    return function (row) { return codes >= 0 && row[codes] !== null && row[codes].split(",").some(test); };
  }
  var choices = [
    ["all", "All", null],
    ["failed", "Failed", outcome("failed")],
    ["unanswered", "Not answered", outcome("unanswered")],
    ["bad", "Bad quality", hasCode(function (code) { return QUALITY.has(code); })],
    ["findings", "With findings", hasCode(Boolean)]
  ];
  var buttons = new Map(), current = "all", extra = null;
  choices.forEach(function (choice) {
    var count = choice[2] ? sheet.rows.filter(choice[2]).length : sheet.rows.length;
    var button = make("button", { type: "button", "aria-pressed": String(choice[0] === "all"), onclick: function () {
      if (location.hash !== "#calls") { history.replaceState(null, "", "#calls"); }
      choose(choice[0], null);
    } }, [choice[1], make("span", { class: "count" }, count.toLocaleString("en"))]);
    button.disabled = count === 0;
    buttons.set(choice[0], button);
    box.append(button);
  });
  function choose(name, code, anew) {
    if (name === current && code === extra && !anew) { return; }
    current = name; extra = code;
    buttons.forEach(function (button, key) { button.setAttribute("aria-pressed", String(!code && key === name)); });
    Array.from(box.querySelectorAll(".only")).forEach(function (node) { node.remove(); });
    var test = (choices.find(function (choice) { return choice[0] === name; }) || choices[0])[2];
    if (code) {
      test = hasCode(function (each) { return each === code; });
      box.append(make("button", { type: "button", class: "only", "aria-pressed": "true", title: "Show all calls again", onclick: function () {
        history.replaceState(null, "", "#calls");
        choose("all", null);
      } }, code + " \u00d7"));
    }
    api.search.fixed("quick", test ? function (text, row) { return test(row); } : null).draw();
  }
  return {
    follow: function (code) { // what an address asks for; without a code the reader's own choice stays
      if (code || extra) { choose("all", code); }
    },
    all: function () {
      if (location.hash.startsWith("#calls&")) { history.replaceState(null, "", "#calls"); }
      choose("all", null, true);
    }
  };
}

/* Rows of the sheet calls in the order and choice of the table. */
function chosenCalls() {
  var made = loaded.get("calls");
  return made ? made.api.rows({ search: "applied", order: "applied" }).indexes().toArray() : null;
}
