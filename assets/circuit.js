"use strict";
// The interactive circuit. The figure's own lines and boxes answer when they are pointed at or reached by the keyboard;
// a slider leaves the weaker edges out; a box opens a panel with what its node looks at and writes. Whatever comes from
// the experiment is set as text, never as markup. Without this script, and in print, the figure is as it stands.
(() => {
  // as the figures have them: Okabe & Ito 2008
  const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9"];
  // the darkest of ColorBrewer's BuPu, which stands for a whole
  const DARK = [77, 0, 75];

  const element = (name, text = "", attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const number = value => {
    if (value === null || value === undefined) return "none";
    const text = Math.abs(value) >= 1000 ? String(Math.round(value)) : value.toPrecision(3);
    return text.replaceAll("-", "−");
  };
  const sum = edges => edges.reduce((total, edge) => total + edge.score, 0);
  const edges = count => count === 1 ? "1 edge" : count + " edges";

  const explore = figure => {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const svg = figure.querySelector("svg");
    const [tip, told, panel] = ["tip", "told", "panel"].map(name => figure.querySelector("." + name));
    const slider = figure.querySelector("input[type=range]");
    const all = name => [...svg.querySelectorAll(`[data-${name}]`)];
    const lines = new Map(all("edge").map(line => [line.dataset.edge, line]));
    const shown = data.edges.filter(edge => lines.has(edge.name)).sort((a, b) => Math.abs(b.score) - Math.abs(a.score));
    const nodes = new Map(all("node").map(box => [box.dataset.node, box]));
    const portraits = new Map(data.nodes.map(node => [node.name, node.seen]));
    let count = shown.length;

    const visible = () => shown.slice(0, count);
    const into = name => visible().filter(edge => edge.to === name);
    const outOf = name => visible().filter(edge => edge.from === name);

    // ---- what is told of edges and nodes
    const ofEdge = edge => {
      const parts = [`${edge.name}: ${number(edge.score)}`];
      if (edge.low !== null) parts.push(`interval [${number(edge.low)}, ${number(edge.high)}]`);
      if (edge.inclusion !== null) parts.push(`in ${Math.round(edge.inclusion * 100)} % of draws`);
      if (edge.carries) parts.push(`carries ${edge.carries}`);
      return parts.join("; ");
    };
    const ofNode = name => {
      const [read, written] = [into(name), outOf(name)];
      const parts = [];
      if (name.split("@")[0] !== "input") parts.push(`reads over ${edges(read.length)}, sum ${number(sum(read))}`);
      if (name !== "logits") parts.push(`writes over ${edges(written.length)}, sum ${number(sum(written))}`);
      const seen = portraits.get(name);
      const most = seen && seen.find(view => view.raised.length);
      if (seen && seen[0].direct !== null) parts.push(`adds ${number(seen[0].direct)} to right less wrong answer`);
      if (most) parts.push("raises " + most.raised.slice(0, 3).map(([token]) => token).join(" "));
      return `${name}: ${parts.join("; ")}`;
    };

    // ---- pointing
    const light = chosen => {
      svg.classList.toggle("dim", chosen.size > 0);
      for (const [name, line] of lines) line.classList.toggle("lit", chosen.has(name));
    };
    const tell = (text, chosen, event) => {
      told.textContent = text;
      light(new Set(chosen.map(edge => edge.name)));
      tip.hidden = !event;
      if (!event) return;
      tip.textContent = text;
      const ground = figure.getBoundingClientRect();
      const left = Math.min(event.clientX - ground.left + 12, ground.width - tip.offsetWidth - 4);
      tip.style.left = Math.max(0, left) + "px";
      tip.style.top = event.clientY - ground.top + 16 + "px";
    };
    const quiet = () => { tip.hidden = true; light(new Set()); };
    const answers = (target, text, chosen) => {
      target.addEventListener("pointermove", event => tell(text(), chosen(), event));
      target.addEventListener("pointerleave", quiet);
      target.addEventListener("focus", () => tell(text(), chosen()));
      target.addEventListener("blur", quiet);
    };
    // one stop of the tab key for all edges, one for all nodes; arrows go on from there
    const rove = (targets, isThere) => {
      targets.forEach((target, place) => {
        target.setAttribute("tabindex", place === 0 ? "0" : "-1");
        target.addEventListener("keydown", event => {
          const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
          if (!step) return;
          event.preventDefault();
          let next = place;
          do next = (next + step + targets.length) % targets.length; while (!isThere(targets[next]) && next !== place);
          targets[next].focus();
        });
      });
    };

    const hits = shown.map(edge => {
      const line = lines.get(edge.name);
      line.querySelector("title")?.remove();
      const hit = document.createElementNS(svg.namespaceURI, "polyline");
      hit.setAttribute("points", line.getAttribute("points"));
      hit.setAttribute("class", "hit");
      hit.setAttribute("role", "img");
      hit.setAttribute("aria-label", ofEdge(edge));
      hit.dataset.hit = edge.name;
      answers(hit, () => ofEdge(edge), () => [edge]);
      return hit;
    });
    // below the boxes, the strongest above
    all("node")[0]?.before(...[...hits].reverse());
    rove(hits, hit => !hit.classList.contains("off"));

    const boxes = [...nodes].map(([name, box]) => {
      box.setAttribute("role", "button");
      box.setAttribute("aria-label", `${name}: show what it looks at and writes`);
      answers(box, () => ofNode(name), () => [...into(name), ...outOf(name)]);
      const open = () => { show(name); panel.scrollIntoView({ block: "nearest" }); };
      box.addEventListener("click", open);
      box.addEventListener("keydown", event => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(); }
      });
      return box;
    });
    rove(boxes, () => true);

    // ---- how many edges are there
    const draw = () => {
      count = Number(slider.value);
      const names = new Set(visible().map(edge => edge.name));
      const held = new Set(visible().flatMap(edge => [edge.from, edge.to]));
      for (const kind of ["edge", "hit", "label"])
        for (const part of all(kind)) part.classList.toggle("off", !names.has(part.dataset[kind]));
      // what goes on inside of a node is there with both of its ends
      for (const part of all("inside"))
        part.classList.toggle("off", !part.dataset.inside.split("|").every(end => held.has(end)));
      for (const kind of ["node", "outline", "name"])
        for (const part of all(kind)) part.classList.toggle("orphan", !held.has(part.dataset[kind]));
      const least = count ? Math.abs(shown[count - 1].score) : 0;
      figure.querySelector("output").textContent =
        `${count} of ${edges(shown.length)}, sizes from ${number(least)}; ${held.size} of ${nodes.size} nodes`;
    };
    slider.max = slider.value = shown.length;
    slider.addEventListener("input", draw);

    // ---- colour by what is carried
    const carried = [...new Set(shown.map(edge => edge.carries).filter(Boolean))];
    const colour = figure.querySelector("select.colour");
    colour.parentElement.hidden = carried.length === 0;
    colour.addEventListener("change", () => {
      const by = colour.value === "carried";
      for (const edge of shown) {
        const place = carried.indexOf(edge.carries);
        lines.get(edge.name).style.stroke = by ? (place < 0 ? "#bebebe" : COLOURS[place % COLOURS.length]) : "";
      }
      const key = figure.querySelector(".key");
      key.replaceChildren(...(by ? carried : []).map((name, place) => {
        const entry = element("span", name);
        entry.style.borderColor = COLOURS[place % COLOURS.length];
        return entry;
      }));
    });

    // ---- the panel
    const pattern = (seen, view) => {
      const table = element("table", "", { class: "pattern" });
      const head = element("tr");
      head.append(element("td"), ...view.tokens.map(token => element("th", token, { scope: "col" })));
      table.append(element("caption", "Attention pattern: each row is a query, each column a key"), head);
      for (const [query, shares] of seen.pattern) {
        const row = element("tr", "", query === view.answer ? { class: "answer" } : {});
        row.append(element("th", view.tokens[query] + (query === view.answer ? " ◂" : ""), { scope: "row" }));
        shares.forEach((share, key) => {
          const cell = element("td", share >= 0.005 && view.tokens.length <= 16 ? share.toFixed(2) : "");
          cell.title = `${view.tokens[query]} looks at ${view.tokens[key]}: ${number(share)}`;
          cell.style.background = `rgb(${DARK.map(dark => Math.round(255 - (255 - dark) * share)).join(" ")})`;
          if (share > 0.5) cell.style.color = "#ffffff";
          row.append(cell);
        });
        table.append(row);
      }
      const scroll = element("div", "", { class: "sideways", tabindex: "0", role: "region", "aria-label": "Attention pattern" });
      scroll.append(table);
      return scroll;
    };
    const tokens = (title, list) => {
      const block = element("div");
      const most = Math.max(...list.map(([, by]) => Math.abs(by)), 1e-9);
      const rows = list.map(([token, by]) => {
        const row = element("li");
        const bar = element("span", "", { class: "bar-of" });
        bar.style.width = 3 * Math.abs(by) / most + "rem";
        bar.style.background = by < 0 ? COLOURS[0] : COLOURS[1];
        row.append(element("code", token), bar, element("span", number(by)));
        return row;
      });
      const items = element("ul");
      items.append(...rows);
      block.append(element("h4", title), items);
      return block;
    };
    let view = 0;
    const show = name => {
      const seen = portraits.get(name);
      panel.hidden = false;
      panel.replaceChildren(element("h3", name), element("p", ofNode(name)));
      for (const box of boxes) box.setAttribute("aria-expanded", String(box.dataset.node === name));
      if (!seen) {
        panel.append(element("p", name === "logits" ? "The logits read and do not write." : "Nothing was recorded of this node."));
        return;
      }
      const choice = element("select");
      choice.append(...data.views.map((one, place) => element("option", one.name, { value: place })));
      choice.value = view;
      choice.addEventListener("change", () => { view = Number(choice.value); fill(); });
      const label = element("label", "Seen in ");
      label.append(choice);
      const body = element("div", "", { class: "portrait" });
      const fill = () => {
        const [one, at] = [seen[view], data.views[view]];
        body.replaceChildren();
        if (one.pattern) body.append(pattern(one, at));
        if (one.direct !== null) body.append(element("p", `Writes ${number(one.direct)} to the logit of the right answer less that of the wrong one, straight through the last norm.`));
        if (one.raised.length) body.append(tokens("Tokens that it raises", one.raised));
        if (one.lowered.length) body.append(tokens("Tokens that it lowers", one.lowered));
      };
      panel.append(label, body);
      fill();
    };

    draw();
    for (const part of figure.querySelectorAll(".controls, .told")) part.hidden = false;
  };

  for (const figure of document.querySelectorAll("figure.explorer")) explore(figure);
})();
