// Which runs lie inside the brushes of the parallel coordinates? The address has them: key:low~high.
import { S, split, join, go } from './address.js';
import { M } from './model.js';

/** Axes in their order, and brushes by axis: what the address says. */
export function axesAndBrushes() {
  const axes = [];
  const brushes = new Map();
  for (const item of split(S.a)) {
    const match = /^(.*?)(?::(-?[\d.e+-]+)~(-?[\d.e+-]+))?$/s.exec(item);
    if (!match || !match[1]) continue;
    axes.push(match[1]);
    if (match[2] !== undefined && Number(match[2]) <= Number(match[3])) brushes.set(match[1], [Number(match[2]), Number(match[3])]);
  }
  return { axes, brushes };
}

/** Put axes and brushes into the address; without brushes only where the order was changed by hand. */
export function setAxes(axes, brushes, isMoved = S.a !== '' && !S.a.includes('~')) {
  go({ a: brushes.size || isMoved ? join(axes.map(name => (brushes.has(name) ? `${name}:${outward(brushes.get(name)).join('~')}` : name))) : '' }, true);
}

/** The ends of a brush in six digits, never inside of what they were: a value at an end stays in. */
export function outward(ends) {
  return ends.map((value, i) => {
    const short = Number(value.toPrecision(6));
    const isInside = i ? short < value : short > value;
    const digit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 5);
    return isInside ? Number((short + (i ? digit : -digit)).toPrecision(6)) : short;
  });
}

let known = '';
let brushes = new Map();
/** Whether a row is inside all brushes; true where there are none. */
export function inside(row) {
  if (known !== S.a) {
    known = S.a;
    ({ brushes } = axesAndBrushes());
  }
  if (!brushes.size || S.v !== 'explore') return true;
  for (const [name, [low, high]] of brushes) {
    const at = M.columns.findIndex(column => column.name === name);
    if (at < 0) continue;
    const value = valueOf(name, row.cells[at]);
    if (!(value >= low && value <= high)) return false;
  }
  return true;
}

/** Texts on an axis have places: explore.js keeps them here, by the axis. */
export const places = new Map();
/** The number by which a value lies on an axis. */
export function valueOf(name, value) {
  const texts = places.get(name);
  if (texts) return texts.has(String(value)) ? texts.get(String(value)) : NaN;
  return typeof value === 'number' ? value : value === null || value === undefined || value === '' ? NaN : Number(value);
}
