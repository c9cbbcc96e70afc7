/* One SIP message in a page: its lines coloured, the difference to another message, a button that copies it.
 *
 * showMessage(container, message) fills `container`, an element. `message` has
 *   raw            the message as text (what was no text in it stands as \x80)
 *   title          what it is: "INVITE, 192.0.2.1:5060 to 192.0.2.2:5060"         (optional)
 *   notes          sentences about it, an array                                    (optional)
 *   previous       an earlier message of the same kind, as text                    (optional)
 *   previousTitle  what that is: "INVITE of frame 1"                               (optional)
 * Nodes are made with textContent only: nothing of a message is ever read as markup. The text of the element with the
 * class "sip-raw" is `raw`, to the byte. Whether the difference is shown is kept from one message to the next.
 * The look is in message_css() of raw_message.py.
 */
var showMessage = (function () {
  "use strict";
  var LARGEST = 400000; // cells of the table of common lines; beyond, everything between the first and last change is new
  var differing = false;

  function make(parent, tag, name, text) {
    var node = document.createElement(tag);
    if (name) { node.className = name; }
    if (text !== undefined) { node.textContent = text; }
    if (parent) { parent.appendChild(node); }
    return node;
  }

  /* Lines with their ends; `kind`: start, header, fold, sdp, body, blank; `cut`: where the value begins. */
  function linesOf(raw) {
    var lines = raw.match(/[^\n]*\n|[^\n]+$/g) || [], inBody = false, sdp = false;
    return lines.map(function (text, at) {
      var bare = text.replace(/[\r\n]+$/, ""), kind = "body", cut = 0;
      if (at === 0) {
        kind = "start";
      } else if (!inBody) {
        if (bare === "") { inBody = true; kind = "blank"; }
        else if (/^[ \t]/.test(bare)) { kind = "fold"; }
        else { kind = "header"; cut = bare.indexOf(":") + 1; }
      } else {
        if (bare === "v=0") { sdp = true; }
        if (sdp && /^[a-z]=/.test(bare)) { kind = "sdp"; cut = 2; }
      }
      return { text: text, bare: bare, kind: kind, cut: cut };
    });
  }

  /* One line; the part between `from` and `to`, counted from its end, is marked. */
  function drawLine(parent, line, mark, full) {
    var text = full ? line.text : line.bare, node = make(parent, "span", "sip-" + line.kind);
    if (line.kind === "sdp" && /^m=/.test(text)) { node.className += " sip-media"; }
    function piece(from, to, name) {
      [[from, Math.min(to, mark ? mark[0] : to), name],
       mark && [Math.max(from, mark[0]), Math.min(to, mark[1]), name + " sip-changed"],
       mark && [Math.max(from, mark[1]), to, name]].forEach(function (part) {
        if (part && part[0] < part[1]) { make(node, "span", part[2], text.slice(part[0], part[1])); }
      });
    }
    piece(0, line.cut, "sip-name");
    piece(line.cut, text.length, "sip-value");
    return node;
  }

  function drawRaw(parent, raw) {
    var pre = make(parent, "pre", "sip-raw");
    pre.tabIndex = 0;
    linesOf(raw).forEach(function (line) { drawLine(pre, line, null, true); });
  }

  /* Name of a header, letter of an SDP line: lines alike are compared with each other. */
  function nameOf(line) {
    return line.kind + (line.cut ? line.bare.slice(0, line.cut).toLowerCase() : "");
  }

  /* [sign, line] for each line of the difference: "=" in both, "-" only in the old, "+" only in the new. */
  function compare(old, now) {
    var head = 0, tail = 0, out = [], i, j;
    var shorter = Math.min(old.length, now.length);
    while (head < shorter && old[head].bare === now[head].bare) { head += 1; }
    while (tail < shorter - head && old[old.length - 1 - tail].bare === now[now.length - 1 - tail].bare) { tail += 1; }
    var a = old.slice(head, old.length - tail), b = now.slice(head, now.length - tail), width = b.length + 1;
    var common = a.length * b.length <= LARGEST ? new Uint32Array((a.length + 1) * width) : null;
    for (i = a.length - 1; common && i >= 0; i -= 1) {
      for (j = b.length - 1; j >= 0; j -= 1) {
        common[i * width + j] = a[i].bare === b[j].bare
          ? common[(i + 1) * width + j + 1] + 1
          : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
      }
    }
    now.slice(0, head).forEach(function (line) { out.push(["=", line]); });
    i = j = 0;
    while (i < a.length || j < b.length) {
      if (common && i < a.length && j < b.length && a[i].bare === b[j].bare) {
        out.push(["=", b[j]]); i += 1; j += 1;
      } else if (i < a.length && (j >= b.length || !common || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
        out.push(["-", a[i]]); i += 1;
      } else {
        out.push(["+", b[j]]); j += 1;
      }
    }
    now.slice(now.length - tail).forEach(function (line) { out.push(["=", line]); });
    return out;
  }

  /* Between two lines that stay: a line that went and one of the same name that came stand together. */
  function paired(steps) {
    var out = [], gone = [], come = [];
    function settle() {
      gone.forEach(function (old) {
        var at = come.findIndex(function (each) { return nameOf(each) === nameOf(old); });
        if (at < 0) { out.push(["-", old, null]); return; }
        come.splice(0, at).forEach(function (each) { out.push(["+", each, null]); });
        var now = come.shift(), most = Math.min(old.bare.length, now.bare.length), left = 0, right = 0;
        while (left < most && old.bare[left] === now.bare[left]) { left += 1; }
        while (right < most - left
          && old.bare[old.bare.length - 1 - right] === now.bare[now.bare.length - 1 - right]) { right += 1; }
        out.push(["-", old, [left, old.bare.length - right]], ["+", now, [left, now.bare.length - right]]);
      });
      come.forEach(function (each) { out.push(["+", each, null]); });
      gone = []; come = [];
    }
    steps.forEach(function (step) {
      if (step[0] === "-") { gone.push(step[1]); }
      else if (step[0] === "+") { come.push(step[1]); }
      else { settle(); out.push(["=", step[1], null]); }
    });
    settle();
    return out;
  }

  function drawDifference(parent, message) {
    var against = message.previousTitle || "the one before";
    if (message.raw === message.previous) {
      make(parent, "p", "sip-note", "The same, byte for byte, as " + against + ".");
      drawRaw(parent, message.raw);
      return;
    }
    var steps = paired(compare(linesOf(message.previous), linesOf(message.raw)));
    var changed = steps.filter(function (step) { return step[0] !== "="; }).length;
    make(parent, "p", "sip-note", changed ? "\u2212 only in " + against + ", + only in this one"
      : "The same lines as " + against + "; the ends of lines differ.");
    var pre = make(parent, "pre", "sip-difference");
    pre.tabIndex = 0;
    steps.forEach(function (step) {
      var names = { "=": "sip-same", "-": "sip-gone", "+": "sip-come" };
      var row = make(pre, "span", "sip-step " + names[step[0]]);
      make(row, "span", "sip-sign", step[0] === "=" ? "  " : step[0] === "-" ? "\u2212 " : "+ ");
      drawLine(row, step[1], step[2], false);
      row.appendChild(document.createTextNode("\n"));
    });
  }

  function copyText(text, done) {
    function byHand() {
      var area = make(document.body, "textarea", "", text);
      area.select();
      try { done(document.execCommand("copy")); } catch (error) { done(false); }
      area.remove();
    }
    if (navigator.clipboard) {
      navigator.clipboard.writeText(text).then(function () { done(true); }, byHand);
    } else {
      byHand();
    }
  }

  return function (container, message) {
    var has = typeof message.previous === "string";
    container.textContent = "";
    var root = make(container, "div", "sip-message");
    if (message.title) { make(root, "h2", "sip-title", message.title); }
    (message.notes || []).forEach(function (note) { make(root, "p", "sip-note", note); });
    var bar = make(root, "div", "sip-bar");
    var view = make(root, "div", "sip-view");
    if (has) {
      var toggle = make(bar, "button", "sip-button", "Difference to " + (message.previousTitle || "the one before"));
      toggle.type = "button";
      toggle.onclick = function () { differing = !differing; draw(); };
    }
    var copy = make(bar, "button", "sip-button sip-copy", "Copy");
    copy.type = "button";
    copy.onclick = function () {
      copyText(message.raw, function (worked) {
        copy.textContent = worked ? "Copied" : "Cannot copy";
        setTimeout(function () { copy.textContent = "Copy"; }, 1500);
      });
    };
    function draw() {
      view.textContent = "";
      if (has) { toggle.setAttribute("aria-pressed", String(differing)); }
      if (has && differing) { drawDifference(view, message); } else { drawRaw(view, message.raw); }
    }
    draw();
  };
}());
