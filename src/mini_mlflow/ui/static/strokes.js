// How does a line get onto a canvas? Fast: straight from typed arrays, only what is in view.
import { placeOf } from './smooth.js';

/** Functions from values to canvas pixels, for the scales of a chart. */
export function mapping(u) {
  const { left, top, width, height } = u.bbox;
  const { x, y } = u.scales;
  const across = width / (x.max - x.min);
  if (u.scales.y.distr === 3) {
    const [low, high] = [Math.log10(y.min), Math.log10(y.max)];
    const up = height / (high - low);
    return { px: at => left + (at - x.min) * across, py: at => (at > 0 ? top + height - (Math.log10(at) - low) * up : top + height + 1e4) };
  }
  const up = height / (y.max - y.min);
  return { px: at => left + (at - x.min) * across, py: at => top + height - (at - y.min) * up };
}

/** Far outside, a coordinate is as good as any other, and canvases get slow with great ones. */
const bounded = at => (at > 1e5 ? 1e5 : at < -1e5 ? -1e5 : at);

/** Put a line's points within the visible x on the current path; breaks stay open. */
export function trace(ctx, u, map, x, y, isWanted) {
  const from = Math.max(0, placeOf(x, u.scales.x.min) - 1);
  const to = Math.min(x.length, placeOf(x, u.scales.x.max) + 2);
  let isDown = false;
  for (let i = from; i < to; i += 1) {
    const value = y[i];
    if (!Number.isFinite(value) || (isWanted && !isWanted(i))) {
      isDown = false;
      continue;
    }
    const [px, py] = [map.px(x[i]), bounded(map.py(value))];
    if (isDown) ctx.lineTo(px, py);
    else ctx.moveTo(px, py);
    isDown = true;
  }
}

/** Fill the band between two lines. */
export function fillBand(ctx, u, map, x, low, high) {
  const from = Math.max(0, placeOf(x, u.scales.x.min) - 1);
  const to = Math.min(x.length, placeOf(x, u.scales.x.max) + 2);
  let start = from;
  const piece = end => {
    if (end - start < 2) return;
    ctx.beginPath();
    for (let i = start; i < end; i += 1) ctx[i === start ? 'moveTo' : 'lineTo'](map.px(x[i]), bounded(map.py(high[i])));
    for (let i = end - 1; i >= start; i -= 1) ctx.lineTo(map.px(x[i]), bounded(map.py(low[i])));
    ctx.fill();
  };
  for (let i = from; i < to; i += 1) {
    if (Number.isFinite(low[i]) && Number.isFinite(high[i])) continue;
    piece(i);
    start = i + 1;
  }
  piece(to);
}

const DASHES = [[], [6, 3], [2, 3]];
export const PART = [4, 3]; // a mean over fewer runs than the group has

/** Stroke one line: whole, or for a group whole where all its runs have a value and dashed where not. */
export function strokeLine(ctx, u, map, line, width) {
  const d = devicePixelRatio;
  ctx.lineWidth = width * d;
  ctx.lineJoin = 'round';
  if (!line.counts) {
    ctx.setLineDash(DASHES[line.dash || 0].map(part => part * d));
    ctx.beginPath();
    trace(ctx, u, map, line.x, line.y);
    ctx.stroke();
  } else {
    const { counts, members } = line;
    const isWhole = i => counts[i] >= members;
    ctx.setLineDash([]);
    ctx.beginPath();
    trace(ctx, u, map, line.x, line.y, isWhole);
    ctx.stroke();
    ctx.setLineDash(PART.map(part => part * d));
    ctx.beginPath();
    trace(ctx, u, map, line.x, line.y, i => !isWhole(i) || !isWhole(i + 1) || (i > 0 && !isWhole(i - 1)));
    ctx.stroke();
  }
  ctx.setLineDash([]);
}
