// Dots are put into a picture pixel by pixel: fifty thousand of them in a few milliseconds, on any machine.
let theme = null;
let stamps = null;
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

// The pixels of every label's sign, plain and faint: where they are, their colour, and how much of it.
function stampsOf(size, line) {
  const key = `${size} ${line}`;
  if (stamps?.key === key) return stamps;
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
  stamps = made;
  return stamps;
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

// All dots, the faint ones below. A margin around the picture takes what is cut off at its edges.
function drawDots(context, width, height, size, line, factor, left, top) {
  const { reach, page, signs } = stampsOf(size, line);
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

// Two colours, of the first so many parts in 256; red and blue in one multiplication.
function mixed(above, below, share) {
  const rest = 256 - share;
  const ends = (((above & 0xff00ff) * share + (below & 0xff00ff) * rest) >>> 8) & 0xff00ff;
  const middle = (((above & 0xff00) * share + (below & 0xff00) * rest) >>> 8) & 0xff00;
  return (0xff000000 | ends | middle) >>> 0;
}
