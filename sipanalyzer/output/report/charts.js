/* Streams of a call, and their charts: BokehJS on the series that lie in the page, one x axis for all. */
var MOST_CHARTED = 4;
var KINDS_OF_CHARTS = [
  ["loss", "Lost", "%", "lost, percent of the packets expected"],
  ["discarded", "Too late", "%", "too late for the jitter buffer, percent"],
  ["jitter", "Jitter", "ms", "highest interarrival jitter within the step (RFC 3550)"],
  ["delta", "Gap between packets", "ms", "longest time between two packets"],
  ["mos", "MOS", "", "mean opinion score"]
];

var STREAM_FACTS = ["codec", "packets", "lost", "loss_percent", "discarded_percent", "max_consecutive_lost", "max_jitter_ms", "max_delta_ms",
  "clock_drift_ppm", "mos", "mos_min", "mos_scale", "rtt_ms", "dscp", "ptime_ms"];

function strokeOf(detail, at) {
  var stream = detail.streams[at], ink = colours();
  var back = stream.direction === "callee-to-caller", dash = back ? [6, 3] : [];
  var same = detail.streams.slice(0, at).filter(function (each) { return each.direction === stream.direction; }).length;
  return { colour: ink[stream.direction] || ink.quiet, dash: dash, width: same ? 1 : 1.8, alpha: same ? 0.65 : 1 };
}

function streamNodes(detail) {
  var charted = detail.streams.map(function (stream, at) { return stream.series ? at : -1; }).filter(function (at) { return at >= 0; });
  var first = new Set(charted.slice(0, MOST_CHARTED));
  var nodes = detail.streams.map(function (stream, at) {
    var stroke = strokeOf(detail, at);
    var rule = make("span", { class: "rule", "aria-hidden": "true" });
    rule.style.borderTopColor = stroke.colour;
    rule.style.borderTopStyle = stroke.dash.length ? "dashed" : "solid";
    var box = stream.series ? make("input", { type: "checkbox", "data-charted": at, "aria-label": "In the charts", onchange: drawCharts }) : null;
    if (box) { box.checked = first.has(at); }
    var words = (stream.direction || "direction not known").replaceAll("-", " ");
    var parts = [
      make("header", {}, [make("label", {}, [box, rule, make("span", { class: "wire" }, (at + 1) + ". " + stream.title)]),
        make("span", { class: "quiet" }, words), severityChip(stream.severity)]),
      ...factParts(stream.facts, STREAM_FACTS)
    ];
    stream.remarks.forEach(function (remark) { parts.push(make("p", { class: "remark" }, remark)); });
    if (stream.outages.length) {
      var told = stream.outages.slice(0, 8).map(function (each) {
        return plural(each.lost, "packet") + " at " + each.start_s.toFixed(2) + " s";
      });
      parts.push(make("p", { class: "quiet small" }, "Lost in a row: " + told.join("; ")
        + (stream.outages.length > 8 ? "; and " + (stream.outages.length - 8) + " more" : "") + "."));
    }
    return make("article", { class: "stream", "data-stream": at }, parts);
  });
  if (charted.length) { nodes.unshift(make("div", { class: "charts", "data-charts": true })); }
  if (detail.streams_left_out) {
    nodes.push(make("p", { class: "quiet" }, plural(detail.streams_left_out, "more stream") + " left out of this page."));
  }
  return nodes;
}

function startCharts(detail) {
  var box = byId("call").querySelector("[data-charts]");
  opened.charts = { remove: function () {} };
  if (!box) { return; }
  var mine = opened;
  box.textContent = "Reading the charts \u2026";
  library("bokeh", function () { return window.Bokeh && window.Bokeh.Plotting; }).then(function () {
    if (opened === mine) { drawCharts(); }
  }, function (error) { box.textContent = "The charts cannot be drawn: " + error.message; });
}

var drawing = 0;

/* All charts of the streams that are ticked, anew. */
async function drawCharts() {
  var mine = opened, box = byId("call").querySelector("[data-charts]");
  if (!mine || !box || !window.Bokeh) { return; }
  drawing += 1;
  var turn = drawing;
  mine.charts.remove();
  box.replaceChildren();
  box.classList.toggle("dark", isDark());
  var ticked = Array.from(byId("call").querySelectorAll("[data-charted]")).filter(function (each) { return each.checked; })
    .map(function (each) { return Number(each.dataset.charted); });
  if (!ticked.length) { box.append(make("p", { class: "quiet" }, "No stream is chosen.")); return; }
  var Bokeh = window.Bokeh, range = rangeOf(mine.detail, ticked), figures = [], titles = [];
  KINDS_OF_CHARTS.forEach(function (kind) {
    var has = ticked.some(function (at) {
      var values = mine.detail.streams[at].series[kind[0]];
      return values.length && (kind[0] === "discarded" ? values.some(Boolean) : values.some(function (each) { return each !== null; }));
    });
    if (has) { figures.push(chart(Bokeh, mine.detail, ticked, kind, range)); titles.push(kind); }
  });
  if (!figures.length) { box.append(make("p", { class: "quiet" }, "There are no figures over time.")); return; }
  var last = figures[figures.length - 1];
  figures.slice(0, -1).forEach(function (each) { each.below[0].major_label_text_font_size = "0px"; });
  last.below[0].axis_label = "seconds since the call began";
  last.height += 22;
  var grid = Bokeh.Plotting.gridplot(figures.map(function (each) { return [each]; }), { toolbar_location: "right", merge_tools: true, sizing_mode: "stretch_width" });
  var made = await Bokeh.Plotting.show(grid, box);
  var views = [].concat(made);
  var paper = grid.document;
  function remove() { // BokehJS keeps every document it has shown, until it is told
    views.forEach(function (view) { view.remove(); });
    var at = Bokeh.documents.indexOf(paper);
    if (at >= 0) { Bokeh.documents.splice(at, 1); }
    if (paper) { paper.clear(); }
  }
  if (turn !== drawing || opened !== mine) { remove(); return; }
  mine.charts = { remove: remove };
}

function rangeOf(detail, ticked) {
  var from = Math.min.apply(null, ticked.map(function (at) { return detail.streams[at].start_s; }));
  var to = Math.max.apply(null, ticked.map(function (at) { return detail.streams[at].end_s; }));
  var room = Math.max((to - from) * 0.01, 0.05);
  return new window.Bokeh.Range1d({ start: from - room, end: to + room, bounds: [from - room, to + room] });
}

function missing(values) { return values.map(function (each) { return each === null ? NaN : each; }); }

function chart(Bokeh, detail, ticked, kind, range) {
  var ink = colours(), key = kind[0], top = 0;
  ticked.forEach(function (at) { detail.streams[at].series[key].forEach(function (each) { top = Math.max(top, each || 0); }); });
  var heights = key === "mos" ? { start: 1, end: 5 } : { start: 0, end: Math.max(top * 1.08, kind[2] === "%" ? 5 : 1) };
  var figure = Bokeh.Plotting.figure({
    height: 138, sizing_mode: "stretch_width", x_range: range, y_range: new Bokeh.Range1d(heights), tools: "xpan,box_zoom,xwheel_zoom,reset,save",
    title: kind[1] + (kind[2] ? ", " + kind[2] : ""), background_fill_color: ink.ground, border_fill_color: ink.ground,
    outline_line_color: ink.line, min_border_left: 52, min_border_right: 8, min_border_top: 2, min_border_bottom: 4, toolbar_location: null
  });
  figure.title.text_color = ink.text;
  figure.title.text_font_size = "12px";
  figure.title.text_font = "system-ui, sans-serif";
  [figure.xaxis, figure.yaxis].forEach(function (axes, upright) {
    [].concat(Array.from(axes)).forEach(function (axis) {
      axis.axis_line_color = ink.line;
      axis.major_tick_line_color = ink.line;
      axis.minor_tick_line_color = null;
      axis.ticker.desired_num_ticks = upright ? 4 : 8;
      axis.major_label_text_color = ink.quiet;
      axis.axis_label_text_color = ink.quiet;
      axis.axis_label_text_font_style = "normal";
      axis.major_label_text_font = "system-ui, sans-serif";
      axis.axis_label_text_font = "system-ui, sans-serif";
    });
  });
  figure.center.forEach(function (grid) { grid.grid_line_color = ink.line; grid.grid_line_alpha = 0.6; });
  var renderers = [];
  ticked.forEach(function (at) {
    var stream = detail.streams[at], series = stream.series, values = series[key], stroke = strokeOf(detail, at);
    var name = (at + 1) + (stream.direction ? ", " + stream.direction.replaceAll("-", " ") : ""); // no word of the wire in a tooltip
    if (!values.length) { return; }
    var source = new Bokeh.ColumnDataSource({ data: {
      t: series.t, y: missing(values), who: series.t.map(function () { return name; }),
      told: values.map(function (value) { return value === null ? "not known" : value.toFixed(2) + (kind[2] ? " " + kind[2] : ""); })
    } });
    var look = { line_color: stroke.colour, line_width: stroke.width, line_dash: stroke.dash, line_alpha: stroke.alpha, source: source };
    renderers.push(key === "loss" || key === "discarded"
      ? figure.step(Object.assign({ x: { field: "t" }, y: { field: "y" }, mode: "center" }, look))
      : figure.line(Object.assign({ x: { field: "t" }, y: { field: "y" } }, look)));
    if (series.t.length <= 60) {
      figure.scatter({ x: { field: "t" }, y: { field: "y" }, source: source, size: 4, fill_color: stroke.colour, line_color: stroke.colour });
    }
    if (key === "loss") {
      stream.outages.slice(0, 60).forEach(function (outage) {
        figure.add_layout(new Bokeh.BoxAnnotation({ left: outage.start_s, right: Math.max(outage.end_s, outage.start_s + series.step_s / 20),
          fill_color: ink.error, fill_alpha: 0.16, line_color: null, level: "underlay" }));
      });
    }
  });
  figure.toolbar.logo = null;
  figure.add_tools(new Bokeh.HoverTool({ renderers: renderers, mode: "vline", tooltips: [["at", "@t{0.00} s"], [kind[1], "@told"], ["stream", "@who"]] }));
  return figure;
}

document.addEventListener("theme", function () { if (opened && opened.charts) { drawCharts(); } });
