// What happens when the pointer, or the keyboard's cursor, is in a chart: cursor lines in all charts, the nearest line, the values there?
import { S } from './address.js';
import { M } from './model.js';
import { hover, hovered, watchHover, setBusy } from './hover.js';
import { heightAt, isInGap, nearest } from './smooth.js';
import { placeText } from './axes.js';
import { isReport } from './boot.js';
import { ask, unfold } from './server.js';
import { plots } from './plot.js';
import { hideTip, showTip } from './tooltip.js';

const NEAR = 28; // pixels within which a line is meant
const REST = 140; // milliseconds after which the exact values are asked for

watchHover(id => plots.forEach(plot => { plot.paint(id); plot.onDraw(plot, id); }));

/** Make a chart answer to the pointer and to the arrow keys. */
export function listen(plot, u) {
  let frame = 0;
  u.over.addEventListener('mousedown', ({ button }) => { if (button === 0) dragged = u; });
  u.over.addEventListener('mousemove', event => {
    const box = u.over.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    setBusy('chart', true);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => point(plot, left, top));
  });
  u.over.addEventListener('mouseleave', event => {
    cancelAnimationFrame(frame);
    if (dragged === u && event.buttons & 1) holdAtEdge(u, event); // who lets go outside means the part up to the edge
    else leave();
  });
}

let dragged = null; // the chart in which a drag has begun
function letGo() {
  const u = dragged;
  dragged = null;
  if (u && !u.over.matches(':hover')) leave();
}
addEventListener('mouseup', letGo);
addEventListener('blur', letGo); // the button may be let go where nobody tells

function holdAtEdge(u, { clientX, clientY }) {
  const box = u.over.getBoundingClientRect();
  const within = (at, most) => Math.max(0, Math.min(most, at));
  u.setCursor({ left: within(clientX - box.left, box.width), top: within(clientY - box.top, box.height) }, false);
}

/** Forget the cursor. */
export function leave() {
  clearTimeout(resting);
  hover(null);
  hideTip();
  for (const plot of plots) {
    plot.crossing = undefined;
    plot.u?.setCursor({ left: -10, top: -10 }, false);
  }
  setBusy('chart', false);
}

function point(plot, left, top) {
  const { u } = plot;
  if (!u || left < 0 || left > u.over.clientWidth) return;
  const at = u.posToVal(left, 'x');
  let near = null;
  let least = NEAR;
  for (const line of plot.lines) {
    const value = heightAt(line.x, line.y, at);
    const away = Number.isFinite(value) ? Math.abs(u.valToPos(value, 'y') - top) : Infinity;
    if (away <= least) [near, least] = [line.item.ref, away];
  }
  hover(near);
  cursors(plot, at);
  tell(plot, at);
}

function cursors(plot, at) {
  for (const other of plots) {
    other.crossing = at;
    if (other !== plot && other.u) other.u.setCursor({ left: other.u.valToPos(at, 'x'), top: 0 }, false);
  }
}

let resting = 0;
/** The tooltip of a chart at a place of its x axis. */
function tell(plot, pointer) {
  const guide = plot.lineOf(hovered() ?? '') || closest(plot.lines, pointer);
  const place = guide && !isInGap(guide.series.gaps, pointer, apart(guide.series)) ? nearest(guide.series.x, pointer) : -1;
  const at = place >= 0 ? guide.series.x[place] : S.x === 'step' ? Math.round(pointer) : pointer;
  show(plot, at, null);
  clearTimeout(resting);
  const exact = isReport ? [] : plot.lines.filter(line => !line.counts && !line.series.isRaw);
  if (exact.length) resting = setTimeout(() => askExact(plot, at, exact), REST);
}

/** The line with the row that is closest to a place of the x axis; of equal ones the best. */
function closest(lines, pointer) {
  let [found, least] = [null, Infinity];
  for (const line of lines) {
    const { x } = line.series;
    const away = Math.abs(x[nearest(x, pointer)] - pointer);
    if (away <= least) [found, least] = [line, away];
  }
  return found;
}

async function askExact(plot, at, lines) {
  const runs = lines.map(line => line.item.ref).slice(0, 200);
  const answer = await ask('api/values', { runs, metric: plot.metric, stage: S.y, x: S.x, at }).catch(() => null);
  if (answer && plot.at === at) show(plot, at, new Map(runs.map((ref, i) => [ref, answer.values[i]])));
}

function show(plot, at, exact) {
  if (!plot.u) return; // the chart is gone meanwhile
  plot.at = at;
  const hot = plot.lineOf(hovered() ?? '');
  const rows = [];
  let without = plot.items.length - plot.lines.length;
  for (const line of plot.lines) {
    const found = valueAt(line, at, exact?.get(line.item.ref));
    if (!found) without += 1;
    else rows.push({ name: line.item.name || line.item.label, color: line.color, value: found.value, note: found.note, isHot: line === hot });
  }
  const sign = plot.goal === 'min' ? 1 : -1;
  rows.sort((a, b) => (Number.isNaN(a.value) ? 1 : Number.isNaN(b.value) ? -1 : sign * (a.value - b.value)));
  const over = plot.u.over.getBoundingClientRect();
  const cursor = { x: over.left + plot.u.valToPos(plot.crossing ?? at, 'x'), top: over.top };
  showTip(plot.box.closest('.card').getBoundingClientRect(), cursor, placeText(S.x, at), plot.metric, rows, without);
}

/** How far apart the rows of a series are on average. */
const apart = ({ x }) => (x[x.length - 1] - x[0]) / Math.max(1, x.length - 1);

/** The raw value of a line at a place, null beyond its ends and in its gaps. */
function valueAt({ series, counts }, at, exact) {
  const { x, y } = series;
  const spread = apart(series);
  if (at < x[0] - spread / 2 || at > x[x.length - 1] + spread / 2 || isInGap(series.gaps, at, spread)) return null;
  if (exact) return { value: unfold(exact.value), note: '' };
  const place = nearest(x, at);
  if (counts) return Number.isFinite(y[place]) ? { value: y[place], note: `n=${counts[place]}` } : null;
  return { value: y[place], note: '' };
}

/** Move the cursor of a chart by keys: arrows by one value, with Shift by ten. */
export function moveCursor(plot, event) {
  const guide = plot.lineOf(hovered() ?? '') || plot.lines[plot.lines.length - 1];
  if (!guide || !plot.u) return;
  const { x } = guide.series;
  const size = (event.shiftKey ? 10 : 1) * (event.key === 'ArrowLeft' ? -1 : 1);
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    const order = [...plot.lines].reverse();
    const next = order[(order.indexOf(guide) + (event.key === 'ArrowDown' ? 1 : -1) + order.length) % order.length];
    hover(next.item.ref);
  } else {
    const from = plot.at === undefined ? (size > 0 ? -1 : x.length) : nearest(x, plot.at);
    plot.at = x[Math.max(0, Math.min(x.length - 1, from + size))];
  }
  const at = plot.at ?? x[x.length - 1];
  setBusy('chart', true);
  plot.u.setCursor({ left: plot.u.valToPos(at, 'x'), top: 0 }, false);
  cursors(plot, at);
  tell(plot, at);
  event.preventDefault();
}

/** How many lines a chart has, and its best value, in words. */
export function textOf(plot, best) {
  const many = plot.lines.length;
  return `${plot.metric} by ${S.x}: ${many} ${M.groups ? 'groups' : 'runs'}${best ? `, ${best}` : ''}`;
}
