// The canvas: the view, and everything drawn on it.
const stage = byId("stage");
const canvas = byId("map");
const context = canvas.getContext("2d");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// Centre of the view, 0 to 1 on both axes, and width of the whole map in pixels.
const view = { x: 0.5, y: 0.5, scale: 1 };
const bounds = [1, 0, 1, 0];
for (let i = 0; i < count; i++) {
  for (const axis of [0, 1]) {
    const value = grid[2 * i + axis] / EDGE;
    bounds[2 * axis] = Math.min(bounds[2 * axis], value);
    bounds[2 * axis + 1] = Math.max(bounds[2 * axis + 1], value);
  }
}
let fitted = 1;
// Size of the canvas in CSS pixels, and device pixels in one of these.
let wide = 1;
let high = 1;
let ratio = 1;
let untouched = true;
let waiting = false;
// Thumbnails drawn last, in order, and their size.
let tiles = [];
let tileSize = 0;

const screenX = (i) => (grid[2 * i] / EDGE - view.x) * view.scale + wide / 2;
const screenY = (i) => (grid[2 * i + 1] / EDGE - view.y) * view.scale + high / 2;
const zoom = () => view.scale / fitted;

function request() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function fit() {
  const [left, right, top, bottom] = bounds;
  const margin = Math.min(56, 0.08 * Math.min(wide, high));
  // More space below, for the buttons.
  const scales = [(wide - 2 * margin) / (right - left), (high - 2 * margin - 24) / (bottom - top), 1e5];
  const scale = Math.max(1, Math.min(...scales));
  return { x: (left + right) / 2, y: (top + bottom) / 2 + 12 / scale, scale };
}

function resize() {
  ratio = window.devicePixelRatio || 1;
  [wide, high] = [Math.max(1, stage.clientWidth), Math.max(1, stage.clientHeight)];
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  const target = fit();
  fitted = target.scale;
  if (untouched) Object.assign(view, target);
  request();
}

// Animates the view for a quarter of a second, or jumps if reduced motion is preferred.
let journey = 0;
function glide(target) {
  const from = { ...view };
  const started = performance.now();
  const own = ++journey;
  const step = (now) => {
    if (own !== journey) return;
    const part = calm.matches ? 1 : Math.min(1, (now - started) / 250);
    const eased = 1 - (1 - part) ** 3;
    view.scale = from.scale * (target.scale / from.scale) ** eased;
    // Long distances are crossed while zoomed out.
    const moved = target.scale === from.scale ? eased : (1 / from.scale - 1 / view.scale) / (1 / from.scale - 1 / target.scale);
    view.x = from.x + (target.x - from.x) * moved;
    view.y = from.y + (target.y - from.y) * moved;
    request();
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

function zoomAt(x, y, factor) {
  journey++;
  untouched = false;
  const scale = Math.min(Math.max(view.scale * factor, 0.3 * fitted), 2000 * fitted);
  view.x += (x - wide / 2) * (1 / view.scale - 1 / scale);
  view.y += (y - high / 2) * (1 / view.scale - 1 / scale);
  view.scale = scale;
  request();
}

// Dots are smaller if there are many or the window is small, and grow a little when zoomed in.
function radius() {
  const usual = Math.min(6, Math.max(1.6, 14 / count ** 0.19)) * Math.min(1, Math.sqrt((wide * high) / 7e5));
  return Math.min(9, Math.max(1.2, usual * Math.min(zoom(), 60) ** 0.3));
}

function draw() {
  colours();
  const { width, height } = canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  const size = Math.round(radius() * ratio * 4) / 4;
  const line = Math.min(1.4 * ratio, 0.35 * size);
  const [left, top] = [width / 2 - view.x * view.scale * ratio, height / 2 - view.y * view.scale * ratio];
  drawDots(context, width, height, size, line, (view.scale * ratio) / EDGE, left, top);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  drawThumbnails();
  drawRings();
  if (state.names) drawNames();
  drawLasso();
}

// As many thumbnails as fit, always the same ones first. A cell of the grid has the size of a thumbnail, so that
// only neighbouring cells can hold one that overlaps.
function drawThumbnails() {
  tiles = [];
  if (!state.thumbnails) return;
  const roomy = 0.75 * Math.sqrt((wide * high) / count);
  tileSize = Math.round(Math.min(Math.max(data.side, 72), Math.max(40, roomy) * zoom() ** 0.35));
  const space = tileSize + 4;
  const columns = Math.ceil(wide / space) + 4;
  const cells = columns * (Math.ceil(high / space) + 4);
  const [takenX, takenY] = [new Float64Array(cells).fill(NaN), new Float64Array(cells)];
  const around = [-columns - 1, -columns, -columns + 1, -1, 0, 1, columns - 1, columns, columns + 1];
  const stride = stepOf(count);
  for (let k = 0, i = 0; k < count; k++, i = (i + stride) % count) {
    if (mode[i] !== PLAIN) continue;
    const x = screenX(i);
    const y = screenY(i);
    if (x < -space || y < -space || x > wide + space || y > high + space) continue;
    const at = (Math.floor(y / space) + 2) * columns + Math.floor(x / space) + 2;
    let free = true;
    for (let n = 0; free && n < 9; n++) {
      const other = at + around[n];
      free = !(Math.abs(takenX[other] - x) < space && Math.abs(takenY[other] - y) < space);
    }
    if (!free) continue;
    [takenX[at], takenY[at]] = [x, y];
    tiles.push(i);
  }
  for (const i of tiles) {
    const x = Math.round(screenX(i) - tileSize / 2);
    const y = Math.round(screenY(i) - tileSize / 2);
    context.fillStyle = labelled ? theme.labels[labelOf[i]] : theme.page;
    context.fillRect(x - 2, y - 2, tileSize + 4, tileSize + 4);
    drawTile(context, i, x, y, tileSize);
  }
}

// A step that visits every point once, far from the one before: the golden section, made prime to the count.
function stepOf(total) {
  const divides = (a, b) => (b ? divides(b, a % b) : a);
  let step = Math.max(1, Math.floor(total * 0.618));
  while (divides(step, total) !== 1) step += 1;
  return step;
}

function drawRings() {
  const size = radius() + 4;
  const shown = new Set(tiles);
  const round = (i) => {
    if (!shown.has(i)) {
      context.moveTo(screenX(i) + size, screenY(i));
      context.arc(screenX(i), screenY(i), size, 0, 2 * Math.PI);
    } else {
      const half = tileSize / 2 + 4;
      context.rect(screenX(i) - half, screenY(i) - half, 2 * half, 2 * half);
    }
  };
  context.strokeStyle = theme.ink;
  context.lineWidth = 2.2;
  context.beginPath();
  for (const i of new Set([state.hover, state.current])) if (i >= 0) round(i);
  context.stroke();
}

// Each label name is placed where its points are densest, the largest label first, as long as there is room.
const anchors = labelled ? data.names.map((_, label) => densest(label)) : [];

function densest(label) {
  const cells = 24;
  const tally = new Uint32Array((cells + 2) ** 2);
  const cellOf = (i) =>
    (1 + Math.floor((grid[2 * i + 1] / (EDGE + 1)) * cells)) * (cells + 2) + 1 + Math.floor((grid[2 * i] / (EDGE + 1)) * cells);
  for (let i = 0; i < count; i++) if (labelOf[i] === label) tally[cellOf(i)] += 1;
  const around = [-1, 0, 1].flatMap((row) => [-1, 0, 1].map((beside) => row * (cells + 2) + beside));
  let best = cells + 3;
  let most = -1;
  tally.forEach((_, at) => {
    const sum = around.reduce((total, step) => total + (tally[at + step] ?? 0), 0);
    if (tally[at] && sum > most) [best, most] = [at, sum];
  });
  const near = new Set(around.map((step) => best + step));
  let [x, y, n] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    if (labelOf[i] === label && near.has(cellOf(i))) [x, y, n] = [x + grid[2 * i], y + grid[2 * i + 1], n + 1];
  }
  return [x / n / EDGE, y / n / EDGE, n];
}

function drawNames() {
  context.font = `600 13px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const placed = [];
  for (const label of bySize) {
    const dim = state.stressed >= 0 && state.stressed !== label;
    if (state.off.has(label) || dim) continue;
    const [placeX, placeY, near] = anchors[label];
    const at = (placeX - view.x) * view.scale + wide / 2;
    // Above a few dots, among many.
    const y = (placeY - view.y) * view.scale + high / 2 - (near < 10 ? radius() + 12 : 0);
    const text = data.names[label].length > 28 ? `${data.names[label].slice(0, 27)}…` : data.names[label];
    const half = context.measureText(text).width / 2 + 4;
    if (at < 0 || at > wide) continue;
    const x = Math.max(half, Math.min(wide - half, at));
    if (placed.some(([px, py, phalf]) => Math.abs(px - x) < half + phalf && Math.abs(py - y) < 17)) continue;
    placed.push([x, y, half]);
    context.strokeStyle = theme.page;
    context.lineWidth = 4;
    context.strokeText(text, x, y);
    context.fillStyle = theme.ink;
    context.fillText(text, x, y);
  }
}

function drawLasso() {
  if (state.lasso.length < 2) return;
  context.beginPath();
  for (const [x, y] of state.lasso) {
    context.lineTo((x - view.x) * view.scale + wide / 2, (y - view.y) * view.scale + high / 2);
  }
  context.closePath();
  context.strokeStyle = theme.ink;
  context.lineWidth = 1.2;
  context.setLineDash([4, 4]);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 0.07;
  context.fillStyle = theme.ink;
  context.fill();
  context.globalAlpha = 1;
}

new ResizeObserver(resize).observe(stage);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  theme = markers = null;
  request();
});
document.addEventListener("sheet", request);
