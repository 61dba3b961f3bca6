// The data of each point, and its thumbnail.
"use strict";

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const unpack = (text, Kind) => new Kind(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)).buffer);

// Coordinates are 0 to EDGE; EDGE as a label means none.
const EDGE = 65535;
const grid = unpack(data.points, Uint16Array);
const folderOf = unpack(data.folder, Uint32Array);
const count = grid.length / 2;
const labelled = data.names.length > 0;
// The last label is for points without one.
const names = [...data.names, data.rest];
const REST = names.length - 1;
const labelOf = unpack(data.labels, Uint16Array).map((label) => (label === EDGE ? REST : label));
const sizes = new Uint32Array(names.length);
for (const label of labelOf) sizes[label] += 1;
const missing = new Set(data.missing);

const fileName = (i) => data.files[i];
const folderName = (i) => data.folders[folderOf[i]];
const pathOf = (i) => {
  const folder = folderName(i);
  return folder === "" || folder.endsWith(data.separator) ? folder + fileName(i) : folder + data.separator + fileName(i);
};
const linkOf = (i) => {
  const folder = data.links[folderOf[i]];
  return folder === null ? null : folder + (data.odd[i] ?? encodeURIComponent(fileName(i)));
};
const placeOf = (i) => [
  data.extent.x + (grid[2 * i] / EDGE - 0.5) * data.extent.size,
  data.extent.y - (grid[2 * i + 1] / EDGE - 0.5) * data.extent.size,
];

// Seven colours for the largest labels, then the same colours with another shape; paths with a radius of about 1.
const COLOURS = 7;
const SHAPES = [
  "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0 -2 0Z",
  "M0 -1.2L1.1 .75L-1.1 .75Z",
  "M-.88 -.88H.88V.88H-.88Z",
  "M0 -1.25L1.25 0L0 1.25L-1.25 0Z",
  "M-.42 -1.15H.42V-.42H1.15V.42H.42V1.15H-.42V.42H-1.15V-.42H-.42Z",
  "M-1.15 0a1.15 1.15 0 1 0 2.3 0a1.15 1.15 0 1 0 -2.3 0ZM-.5 0a.5 .5 0 1 1 1 0a.5 .5 0 1 1 -1 0Z",
];
const bySize = [...data.names.keys()].sort((a, b) => sizes[b] - sizes[a]);
const variableOf = (label) => (label < REST ? `--c${bySize.indexOf(label) % COLOURS}` : labelled ? "--rest" : "--c0");
const shapeOf = (label) => SHAPES[label < REST ? Math.floor(bySize.indexOf(label) / COLOURS) % SHAPES.length : 0];

// Visibility of points: 0 hidden, 1 faint, 2 plain.
const HIDDEN = 0;
const FAINT = 1;
const PLAIN = 2;
const mode = new Uint8Array(count).fill(PLAIN);
const state = {
  off: new Set(),
  matches: null,
  stressed: -1,
  hover: -1,
  current: -1,
  // Outline drawn around the selection, in map coordinates.
  lasso: [],
  thumbnails: !labelled,
  names: labelled,
  selecting: false,
};

function updateModes() {
  for (let i = 0; i < count; i++) {
    const label = labelOf[i];
    const stressed = state.stressed < 0 || state.stressed === label;
    const found = state.matches === null || state.matches.has(i);
    mode[i] = state.off.has(label) ? HIDDEN : stressed && found ? PLAIN : FAINT;
  }
}

// Thumbnails: a sheet is decoded when one of its tiles is needed.
const sheets = [...document.querySelectorAll("script.sheet")];
const decoded = new Map();
const PER_SHEET = data.columns ** 2;

function sheetOf(i) {
  const number = Math.floor(i / PER_SHEET);
  if (!decoded.has(number)) {
    const image = new Image();
    image.addEventListener("load", () => document.dispatchEvent(new Event("sheet")));
    image.src = `data:image/jpeg;base64,${sheets[number].textContent}`;
    decoded.set(number, image);
  }
  const image = decoded.get(number);
  return image.complete && image.naturalWidth ? image : null;
}

function drawTile(context, i, x, y, size) {
  const image = sheetOf(i);
  if (!image) return false;
  const tile = i % PER_SHEET;
  const row = Math.floor(tile / data.columns);
  const left = (tile % data.columns) * data.side;
  context.drawImage(image, left, row * data.side, data.side, data.side, x, y, size, size);
  return true;
}
