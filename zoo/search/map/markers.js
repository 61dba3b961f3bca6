// Markers are drawn into an image pixel by pixel: fifty thousand in a few milliseconds on any machine.
let theme = null;
let markers = null;
let paper = null;

const colour = (variable) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

function colours() {
  theme ??= {
    page: colour("--page"),
    ink: colour("--ink"),
    raised: colour("--raised"),
    labels: names.map((_, label) => colour(variableOf(label))),
  };
  return theme;
}

// The pixels of the marker of each label, plain and faint: offsets, colour and opacity.
function markersOf(size, line) {
  const key = `${size} ${line}`;
  if (markers?.key === key) return markers;
  const { page, labels } = colours();
  const reach = Math.ceil(1.3 * size + line);
  const cell = 2 * reach + 1;
  const sheet = Object.assign(document.createElement("canvas"), { width: cell, height: cell });
  const pen = sheet.getContext("2d", { willReadFrequently: true });
  const made = { key, reach, page: pixel(pen, page), signs: [] };
  for (const opacity of [0.16, 1]) {
    for (const label of names.keys()) {
      const path = new Path2D(shapeOf(label));
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.clearRect(0, 0, cell, cell);
      pen.setTransform(size, 0, 0, size, reach + 0.5, reach + 0.5);
      pen.globalAlpha = 1;
      pen.fillStyle = pen.strokeStyle = page;
      pen.lineWidth = line / size;
      pen.stroke(path);
      pen.fill(path);
      pen.globalAlpha = opacity;
      pen.fillStyle = labels[label];
      pen.fill(path);
      made.signs.push(pixelsOf(pen, cell, reach));
    }
  }
  markers = made;
  return markers;
}

function pixelsOf(pen, cell, reach) {
  const { data: bytes } = pen.getImageData(0, 0, cell, cell);
  const words = new Uint32Array(bytes.buffer);
  const found = [...words.keys()].filter((at) => bytes[4 * at + 3] > 0);
  return {
    x: Int16Array.from(found, (at) => (at % cell) - reach),
    y: Int16Array.from(found, (at) => Math.floor(at / cell) - reach),
    colour: Uint32Array.from(found, (at) => words[at]),
    share: Uint16Array.from(found, (at) => (bytes[4 * at + 3] * 256) / 255),
  };
}

function pixel(pen, style) {
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = style;
  pen.fillRect(0, 0, 1, 1);
  return new Uint32Array(pen.getImageData(0, 0, 1, 1).data.buffer)[0];
}

// All markers, faint ones first. A margin around the image holds what is cut off at its edges.
function drawDots(context, width, height, size, line, factor, left, top) {
  const { reach, page, signs } = markersOf(size, line);
  const wide = width + 2 * reach;
  if (paper?.width !== wide || paper.height !== height + 2 * reach) paper = context.createImageData(wide, height + 2 * reach);
  const out = new Uint32Array(paper.data.buffer);
  out.fill(page);
  const places = signs.map(({ x, y }) => Int32Array.from(x, (value, at) => y[at] * wide + value));
  for (const kind of mode.includes(FAINT) ? [FAINT, PLAIN] : [PLAIN]) {
    const first = kind === PLAIN ? names.length : 0;
    for (let i = 0; i < count; i++) {
      if (mode[i] !== kind) continue;
      const x = Math.floor(grid[2 * i] * factor + left);
      const y = Math.floor(grid[2 * i + 1] * factor + top);
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      const { colour: ink, share } = signs[first + labelOf[i]];
      const place = places[first + labelOf[i]];
      const middle = (y + reach) * wide + x + reach;
      for (let k = 0; k < place.length; k++) {
        const at = middle + place[k];
        out[at] = share[k] > 255 ? ink[k] : mixed(ink[k], out[at], share[k]);
      }
    }
  }
  context.putImageData(paper, -reach, -reach);
}

// Blends two colours, `share` of 256 parts of the first; red and blue in one multiplication.
function mixed(above, below, share) {
  const rest = 256 - share;
  const ends = (((above & 0xff00ff) * share + (below & 0xff00ff) * rest) >>> 8) & 0xff00ff;
  const middle = (((above & 0xff00) * share + (below & 0xff00) * rest) >>> 8) & 0xff00;
  return (0xff000000 | ends | middle) >>> 0;
}
