/* The page of a flow chart: an arrow opens its message, a bar the figures of its stream, in a panel beside the chart.
 *
 * Everything is in the page already, in <details>: this script only shows it elsewhere. It makes nodes with textContent
 * and copies of the page's own nodes, and keeps nothing but the place in the address (#m12, #s3).
 */
(function () {
  "use strict";
  var root = document.documentElement, chart = document.getElementById("chart"), panel = document.getElementById("panel");
  var items = [], places = Object.create(null), current = -1; // no prototype: keys come from the address too

  /* In the order of the chart; messages that are folded follow their fold's first. */
  var details = Object.create(null), folded = Object.create(null);
  document.querySelectorAll("#list details").forEach(function (node) {
    details[node.id] = node;
    if (node.dataset.fold) { (folded[node.dataset.fold] = folded[node.dataset.fold] || []).push(node.id); }
  });
  chart.querySelectorAll(".m, .s").forEach(function (group) {
    var id = group.dataset.message === undefined ? "s" + group.dataset.stream : "m" + group.dataset.message;
    [id].concat(folded[id] || []).forEach(function (each) {
      if (details[each] && places[each] === undefined) {
        places[each] = items.length;
        items.push({ id: each, group: group });
      }
    });
  });

  function button(parent, text, action, disabled) {
    var node = document.createElement("button");
    node.type = "button";
    node.textContent = text;
    node.onclick = action;
    node.disabled = !!disabled;
    parent.appendChild(node);
    return node;
  }

  function rawOf(id) { return details[id].querySelector("pre").textContent; }
  function titleOf(id) { return details[id].querySelector("summary").textContent; }

  function open(place, focus) {
    if (place < 0 || place >= items.length) { return; }
    if (current >= 0) { items[current].group.classList.remove("on"); }
    current = place;
    var item = items[place], source = details[item.id];
    item.group.classList.add("on");
    root.classList.add("open");
    panel.textContent = "";
    var bar = document.createElement("div"), body = document.createElement("div"), count = document.createElement("span");
    bar.className = "step";
    panel.append(bar, body);
    button(bar, "\u2039 Previous", function () { open(current - 1, true); }, place === 0);
    button(bar, "Next \u203a", function () { open(current + 1, true); }, place === items.length - 1);
    count.textContent = place + 1 + " of " + items.length;
    bar.appendChild(count);
    button(bar, "Close", close);
    if (item.id[0] === "m") {
      var before = source.dataset.previous;
      showMessage(body, {
        raw: rawOf(item.id),
        title: titleOf(item.id),
        notes: source.dataset.note ? [source.dataset.note] : [],
        previous: details[before] ? rawOf(before) : undefined,
        previousTitle: details[before] ? details[before].dataset.name : undefined
      });
    } else {
      var title = document.createElement("h2");
      title.textContent = titleOf(item.id);
      body.append(title, source.querySelector("table").cloneNode(true));
    }
    panel.scrollTop = 0;
    item.group.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (focus) { item.group.focus({ preventScroll: true }); }
    history.replaceState(null, "", "#" + item.id);
  }

  function close() {
    if (current >= 0) { items[current].group.classList.remove("on"); items[current].group.focus(); }
    current = -1;
    root.classList.remove("open");
    panel.textContent = "";
    history.replaceState(null, "", location.href.split("#")[0]);
  }

  function placeOf(node) {
    var group = node.closest && node.closest(".m, .s");
    return group ? items.findIndex(function (item) { return item.group === group; }) : -1;
  }

  chart.addEventListener("click", function (event) { open(placeOf(event.target), false); });
  document.addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    var inside = panel.contains(document.activeElement), at = placeOf(document.activeElement);
    var from = current >= 0 ? current : at;
    var step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: inside ? 0 : 1, ArrowUp: inside ? 0 : -1 }[event.key];
    if ((event.key === "Enter" || event.key === " ") && at >= 0) {
      open(at, true);
    } else if (event.key === "Escape" && current >= 0) {
      close();
    } else if (step && from >= 0) {
      if (current >= 0) { open(current + step, true); } else { move(at + step); }
    } else {
      return;
    }
    event.preventDefault();
  });

  function move(place) {
    if (items[place]) { items[place].group.focus(); }
  }

  /* The heads of the lifelines stay in sight. */
  var heads = chart.querySelector(".hs"), svg = chart.querySelector("svg");
  chart.addEventListener("scroll", function () {
    var top = heads.dataset.top || (heads.dataset.top = heads.getBBox().y);
    var scale = svg.getBoundingClientRect().height / svg.viewBox.baseVal.height;
    var moved = Math.max(0, (chart.scrollTop - svg.getBoundingClientRect().top - chart.scrollTop
      + chart.getBoundingClientRect().top) / scale - top);
    heads.setAttribute("transform", "translate(0 " + Math.round(moved) + ")");
    heads.classList.toggle("moved", moved > 0);
  }, { passive: true });

  root.classList.add("js");
  var wanted = places[location.hash.slice(1)];
  if (wanted !== undefined) { open(wanted, false); }
}());
