// The panels beside the map: search, labels, the chosen image, the selection.
const status = byId("status");
const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const element = (name, properties, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};
const number = (value) => value.toLocaleString("en");
const decimal = (value) => value.toFixed(3).replace("-", "−");
const LISTED = 50;

function markOf(label) {
  const mark = svg("svg", { class: "mark", viewBox: "-1.2 -1.2 2.4 2.4", "aria-hidden": "true" });
  mark.append(svg("path", { d: shapeOf(label) }));
  mark.style.color = `var(${variableOf(label)})`;
  return mark;
}

// Labels

function legend() {
  const list = byId("labels");
  const shown = [...names.keys()].filter((label) => sizes[label]);
  byId("legend").hidden = !labelled;
  if (!labelled) return;
  byId("kind").textContent = `${data.kind[0].toUpperCase()}${data.kind.slice(1)}s`;
  list.replaceChildren(
    ...shown.map((label) => {
      const button = element(
        "button",
        { type: "button", title: names[label] },
        markOf(label),
        element("span", { className: "name" }, names[label]),
        element("span", { className: "num" }, number(sizes[label])),
      );
      button.ariaPressed = String(!state.off.has(label));
      button.addEventListener("click", () => {
        if (!state.off.delete(label)) state.off.add(label);
        button.ariaPressed = String(!state.off.has(label));
        refresh();
      });
      const stress = (which) => () => {
        state.stressed = state.off.has(label) ? -1 : which;
        refresh();
      };
      button.addEventListener("pointerenter", stress(label));
      button.addEventListener("pointerleave", stress(-1));
      return element("li", {}, button);
    }),
  );
}

byId("all").addEventListener("click", () => {
  state.off.clear();
  legend();
  refresh();
});
byId("none").addEventListener("click", () => {
  state.off = new Set(names.keys());
  legend();
  refresh();
});

function refresh() {
  updateModes();
  hover(-1);
  request();
}

// Search

let searched = null;
byId("query").addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  searched ??= Array.from({ length: count }, (_, i) => pathOf(i).toLowerCase());
  const found = wanted.length ? [...searched.keys()].filter((i) => wanted.every((word) => searched[i].includes(word))) : [];
  state.matches = wanted.length ? new Set(found) : null;
  const more = found.length > LISTED ? `, the first ${LISTED}:` : "";
  byId("found").textContent = wanted.length ? `${number(found.length)} of ${number(count)}${more}` : "";
  byId("results").replaceChildren(...found.slice(0, LISTED).map(result));
  refresh();
});
byId("query").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && state.matches?.size) visit(state.matches.values().next().value);
});

function result(i) {
  const button = element(
    "button",
    { type: "button", title: pathOf(i) },
    ...(labelled ? [markOf(labelOf[i])] : []),
    element("span", { className: "name" }, fileName(i)),
  );
  button.addEventListener("click", () => visit(i));
  return element("li", {}, button);
}

// Moves to a point and shows its image.
function visit(i) {
  untouched = false;
  glide({ x: grid[2 * i] / EDGE, y: grid[2 * i + 1] / EDGE, scale: Math.max(view.scale, 4 * fitted) });
  show(i);
}

// The image

function show(i, follow = false) {
  state.current = i;
  byId("image").hidden = i < 0;
  request();
  if (i < 0) return;
  const [x, y] = placeOf(i);
  const link = linkOf(i);
  status.textContent = `${labelled ? `${names[labelOf[i]]}, ` : ""}${fileName(i)}`;
  byId("what").replaceChildren(...(labelled ? [markOf(labelOf[i]), names[labelOf[i]]] : ["Image"]));
  byId("path").textContent = pathOf(i);
  byId("place").textContent = `x ${decimal(x)}, y ${decimal(y)}${missing.has(i) ? " · the file is not there any more" : ""}`;
  byId("open").hidden = link === null;
  if (link !== null) byId("open").href = link;
  enlarge(i, missing.has(i) ? null : link);
  const outside = screenX(i) < 0 || screenY(i) < 0 || screenX(i) > wide || screenY(i) > high;
  if (follow && outside) glide({ ...view, x: grid[2 * i] / EDGE, y: grid[2 * i + 1] / EDGE });
}

// The thumbnail at once, and the file itself where the browser reaches it.
function enlarge(i, link) {
  const figure = byId("large");
  const thumbnail = element("canvas", { width: data.side, height: data.side });
  const fill = () => drawTile(thumbnail.getContext("2d"), i, 0, 0, data.side);
  if (!fill()) document.addEventListener("sheet", fill, { once: true });
  figure.replaceChildren(thumbnail);
  if (link === null) return;
  const image = element("img", { alt: fileName(i) });
  image.addEventListener("load", () => state.current === i && figure.replaceChildren(image));
  image.src = link;
}

function open(i) {
  const link = linkOf(i);
  if (link !== null) window.open(link, "_blank", "noopener");
}

// Selection

function select(found) {
  if (!found.size) state.lasso = [];
  byId("selection").hidden = !found.size;
  request();
  if (!found.size) return;
  byId("chosen").textContent = `${number(found.size)} selected`;
  status.textContent = byId("chosen").textContent;
  const tally = new Map();
  for (const i of found) tally.set(labelOf[i], (tally.get(labelOf[i]) ?? 0) + 1);
  const counts = [...tally].sort((a, b) => b[1] - a[1]);
  byId("tally").textContent = labelled ? counts.map(([label, n]) => `${names[label]} ${number(n)}`).join(", ") : "";
  byId("paths").value = [...found].map(pathOf).sort().join("\n");
}

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const said = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = said), 1200);
}

byId("copy-path").addEventListener("click", (event) => copy(pathOf(state.current), event.target));
byId("copy-paths").addEventListener("click", (event) => copy(byId("paths").value, event.target));
byId("close").addEventListener("click", () => show(-1));
byId("unselect").addEventListener("click", () => select(new Set()));

// The buttons on the map

const middle = (factor) => () => zoomAt(wide / 2, high / 2, factor);
byId("nearer").addEventListener("click", middle(1.5));
byId("further").addEventListener("click", middle(1 / 1.5));
byId("fit").addEventListener("click", reset);
for (const name of ["thumbnails", "names", "selecting"]) {
  const button = byId(name);
  button.ariaPressed = String(state[name]);
  button.addEventListener("click", () => {
    state[name] = !state[name];
    button.ariaPressed = String(state[name]);
    stage.classList.toggle("selecting", state.selecting);
    request();
  });
}
byId("names").hidden = !labelled;

legend();
updateModes();
resize();
