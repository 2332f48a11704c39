// What does a chart tell that a line cannot: the first NaN, a line that leaves the frame, a run that still grows, the best value, a lone point?
import { nearest } from './smooth.js';

/**
 * Draw the signs of one line.
 * @param {any} u the uPlot chart
 * @param {{x: ArrayLike<number>, y: ArrayLike<number>, end: ?{x: number}}} line as it is drawn; `end`: its newest row, where x does not rise with time
 * @param {{color: string, background: string, firstNan: ?number, isClipped: boolean, isRunning: boolean}} about
 */
export function drawMarks(u, line, { color, background, firstNan, isClipped, isRunning }) {
  const { ctx, bbox } = u;
  const d = devicePixelRatio;
  const isInside = x => x >= u.scales.x.min && x <= u.scales.x.max;
  ctx.lineWidth = 1.6 * d;
  ctx.strokeStyle = ctx.fillStyle = color;
  if (firstNan !== null && isInside(firstNan)) {
    const [x, y, q] = [u.valToPos(firstNan, 'x', true), bbox.top + bbox.height - 6 * d, 3.5 * d];
    ctx.beginPath();
    ctx.moveTo(x - q, y - q);
    ctx.lineTo(x + q, y + q);
    ctx.moveTo(x + q, y - q);
    ctx.lineTo(x - q, y + q);
    ctx.stroke();
  }
  drawLonePoints(u, line, isClipped, d);
  if (isClipped) drawLeaving(u, line, d);
  if (isRunning) drawEnd(u, line, background, d);
}

/** A dot where no line is; one beyond the frame is told as a line that leaves it is. */
function drawLonePoints(u, { x, y }, isClipped, d) {
  const { ctx } = u;
  const { min, max } = u.scales.y;
  const { min: left, max: right } = u.scales.x;
  for (let i = 0; i < y.length; i += 1) {
    if (!Number.isFinite(y[i]) || Number.isFinite(y[i - 1]) || Number.isFinite(y[i + 1]) || x[i] < left || x[i] > right) continue;
    if (y[i] >= min && y[i] <= max) {
      ctx.beginPath();
      ctx.arc(u.valToPos(x[i], 'x', true), u.valToPos(y[i], 'y', true), 2.2 * d, 0, 7);
      ctx.fill();
    } else if (isClipped) {
      drawArrow(u, x[i], y[i] > max, d);
    }
  }
}

/** ▲ at the upper edge of the frame, or ▼ at the lower one. */
function drawArrow({ ctx, bbox, valToPos }, at, isUp, d) {
  const px = valToPos(at, 'x', true);
  const py = isUp ? bbox.top : bbox.top + bbox.height;
  const [q, h] = [4 * d, (isUp ? 7 : -7) * d];
  ctx.beginPath();
  ctx.moveTo(px, py);
  ctx.lineTo(px + q, py + h);
  ctx.lineTo(px - q, py + h);
  ctx.fill();
}

/** ▲ or ▼ at the first place where a line leaves the frame. */
function drawLeaving(u, { x, y }, d) {
  const { min, max } = u.scales.y;
  const { min: left, max: right } = u.scales.x;
  for (let i = 1; i < y.length; i += 1) {
    const [before, here] = [y[i - 1], y[i]];
    const isUp = here > max && before <= max;
    if (!(isUp || (here < min && before >= min))) continue;
    const edge = isUp ? max : min;
    const at = x[i - 1] + ((edge - before) / (here - before)) * (x[i] - x[i - 1]);
    if (!(at >= left && at <= right)) continue;
    drawArrow(u, at, isUp, d);
    return;
  }
}

/** An open ring at the end of a run that is still going on. */
function drawEnd(u, { x, y, end }, background, d) {
  let n = end ? nearest(x, end.x) : y.length - 1;
  while (n >= 0 && !Number.isFinite(y[n])) n -= 1;
  if (n < 0 || (end && (end.x < u.scales.x.min || end.x > u.scales.x.max)) || x[n] < u.scales.x.min || x[n] > u.scales.x.max || y[n] > u.scales.y.max || y[n] < u.scales.y.min) return;
  const { ctx } = u;
  ctx.beginPath();
  ctx.arc(u.valToPos(x[n], 'x', true), u.valToPos(y[n], 'y', true), 3 * d, 0, 7);
  const color = ctx.fillStyle;
  ctx.fillStyle = background;
  ctx.fill();
  ctx.fillStyle = color;
  ctx.stroke();
}

/** A filled ring at the best value of the best run. */
export function drawBest(u, best, color, background) {
  if (!best || best.x === null || !Number.isFinite(best.value) || best.x < u.scales.x.min || best.x > u.scales.x.max) return;
  const y = u.valToPos(best.value, 'y', true);
  const d = devicePixelRatio;
  const { ctx, bbox } = u;
  if (y < bbox.top - 2 * d || y > bbox.top + bbox.height + 2 * d) return;
  ctx.beginPath();
  ctx.arc(u.valToPos(best.x, 'x', true), y, 3.5 * d, 0, 7);
  ctx.fillStyle = color;
  ctx.fill();
  ctx.strokeStyle = background;
  ctx.lineWidth = 1.5 * d;
  ctx.stroke();
}
