// Moving about: mouse, fingers, and keys.
const tip = byId("tip");
const REACH = { mouse: 12, pen: 16, touch: 26 };
const fingers = new Map();
let moved = 0;
let lassoing = false;

// The point at a screen position: a thumbnail, or the nearest dot within reach; -1 for none.
function pointAt(x, y, reach) {
  const half = tileSize / 2;
  const thumbnail = tiles.find((i) => Math.abs(screenX(i) - x) <= half && Math.abs(screenY(i) - y) <= half);
  if (state.thumbnails && thumbnail !== undefined) return thumbnail;
  return nearest(x, y, reach);
}

function nearest(x, y, reach, accept = () => true) {
  let best = -1;
  let least = reach ** 2;
  for (let i = 0; i < count; i++) {
    if (mode[i] !== PLAIN) continue;
    const distance = (screenX(i) - x) ** 2 + (screenY(i) - y) ** 2;
    if (distance < least && accept(i)) [best, least] = [i, distance];
  }
  return best;
}

function hover(i, x = 0, y = 0) {
  if (state.hover !== i) {
    state.hover = i;
    stage.classList.toggle("pointing", i >= 0 && !state.selecting);
    request();
  }
  tip.hidden = i < 0;
  if (i < 0) return;
  describe(i);
  const left = x + 18 + tip.offsetWidth > wide ? x - 18 - tip.offsetWidth : x + 18;
  const top = Math.min(Math.max(6, y - tip.offsetHeight / 2), high - tip.offsetHeight - 6);
  tip.style.transform = `translate(${Math.max(6, left)}px, ${Math.max(6, top)}px)`;
}

function describe(i) {
  const pen = tip.querySelector("canvas").getContext("2d");
  pen.fillStyle = colours().raised;
  pen.fillRect(0, 0, pen.canvas.width, pen.canvas.height);
  drawTile(pen, i, 0, 0, pen.canvas.width);
  const [label, name] = tip.querySelectorAll("span");
  label.replaceChildren(...(labelled ? [markOf(labelOf[i]), names[labelOf[i]]] : []));
  name.textContent = missing.has(i) ? `${fileName(i)} (not there)` : fileName(i);
}

document.addEventListener("sheet", () => {
  if (state.hover >= 0 && !tip.hidden) describe(state.hover);
});

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
  moved = 0;
  journey++;
  lassoing = fingers.size === 1 && event.button === 0 && (state.selecting || event.shiftKey);
  if (lassoing) state.lasso = [onMap(event.offsetX, event.offsetY)];
});

canvas.addEventListener("pointermove", (event) => {
  const [x, y] = [event.offsetX, event.offsetY];
  const before = fingers.get(event.pointerId);
  if (!before) {
    if (event.pointerType === "mouse") hover(pointAt(x, y, REACH.mouse), x, y);
    return;
  }
  moved += Math.hypot(x - before[0], y - before[1]);
  if (moved > 4) hover(-1);
  if (lassoing) {
    state.lasso.push(onMap(x, y));
  } else if (fingers.size === 1) {
    pan(before[0] - x, before[1] - y);
  } else {
    const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
    const apart = Math.hypot(before[0] - other[0], before[1] - other[1]);
    pan((before[0] - x) / 2, (before[1] - y) / 2);
    zoomAt((x + other[0]) / 2, (y + other[1]) / 2, Math.hypot(x - other[0], y - other[1]) / Math.max(apart, 1));
  }
  fingers.set(event.pointerId, [x, y]);
  request();
});

canvas.addEventListener("pointerup", (event) => {
  fingers.delete(event.pointerId);
  const [x, y] = [event.offsetX, event.offsetY];
  if (lassoing) select(moved > 4 ? inside(state.lasso) : new Set());
  if (moved <= 4) {
    const point = pointAt(x, y, REACH[event.pointerType] ?? REACH.mouse);
    show(point);
    // A finger does not hover, and what it chose may stand below the map.
    if (event.pointerType !== "mouse") hover(point, x, y);
  }
  lassoing = false;
  request();
});

canvas.addEventListener("pointercancel", (event) => {
  fingers.delete(event.pointerId);
  if (lassoing) select(new Set());
  lassoing = false;
});
canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && hover(-1));
canvas.addEventListener("dblclick", (event) => zoomAt(event.offsetX, event.offsetY, 2));
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? high : 1);
    // A pinch on a pad comes as a wheel with the control key, in smaller steps.
    zoomAt(event.offsetX, event.offsetY, Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0016)));
    hover(-1);
  },
  { passive: false },
);

function pan(x, y) {
  untouched = false;
  view.x += x / view.scale;
  view.y += y / view.scale;
  request();
}

const onMap = (x, y) => [view.x + (x - wide / 2) / view.scale, view.y + (y - high / 2) / view.scale];

// The points within a line that was drawn around them.
function inside(line) {
  const found = new Set();
  for (let i = 0; i < count; i++) {
    if (mode[i] !== PLAIN) continue;
    const [x, y] = [grid[2 * i] / EDGE, grid[2 * i + 1] / EDGE];
    let odd = false;
    line.forEach(([x1, y1], at) => {
      const [x2, y2] = line[(at + 1) % line.length];
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) odd = !odd;
    });
    if (odd) found.add(i);
  }
  return found;
}

// From a point to the nearest one that lies further in a direction than to its side.
function step(dx, dy) {
  const from = state.current;
  if (from < 0) {
    show(nearest(wide / 2, high / 2, Infinity));
    return;
  }
  const [x, y] = [screenX(from), screenY(from)];
  const ahead = (i) => {
    const [away, aside] = [(screenX(i) - x) * dx + (screenY(i) - y) * dy, (screenX(i) - x) * dy - (screenY(i) - y) * dx];
    return i !== from && away > 0 && Math.abs(aside) <= away;
  };
  const next = nearest(x, y, Infinity, ahead);
  if (next >= 0) show(next, true);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  const actions = {
    "+": () => zoomAt(wide / 2, high / 2, 1.5),
    "=": () => zoomAt(wide / 2, high / 2, 1.5),
    "-": () => zoomAt(wide / 2, high / 2, 1 / 1.5),
    0: reset,
    Enter: () => state.current >= 0 && open(state.current),
    Escape: clear,
  };
  if (arrow && event.shiftKey) pan(60 * arrow[0], 60 * arrow[1]);
  else if (arrow) step(...arrow);
  else if (event.key in actions) actions[event.key]();
  else return;
  event.preventDefault();
});

function reset() {
  untouched = true;
  glide(fit());
}

function clear() {
  show(-1);
  select(new Set());
}
