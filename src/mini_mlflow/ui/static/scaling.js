// How does a column become an axis: its ends, its direction, its ticks?
import { bestWay } from './columns.js';
import { brief, tick } from './format.js';
import { evenSplits, logSplits, roundStep } from './ticks.js';

const FEW = 6; // values that all get a tick
const MOST = 9; // ticks

/**
 * An axis from 0 (bottom) to 1 (top); metrics where low is good are turned, so that up is good.
 * @returns {{name: string, key: string, isTurned: boolean, isLog: boolean, texts: ?Map<string, number>, at: function(*): number, back: function(number): number, ticks: Array<{value: number, text: string}>}}
 */
export function makeAxis(column, values) {
  const isMetric = column.kind === 'metrics';
  const known = values.filter(value => value !== null && value !== undefined && value !== '');
  const numbers = known.map(value => (typeof value === 'number' ? value : Number(value)));
  const isText = !isMetric && (numbers.some(Number.isNaN) || known.some(value => typeof value === 'boolean'));
  const isTurned = isMetric && bestWay(column) === 'min';
  const about = { name: column.name, key: column.key, isMetric, isTurned };
  return isText ? textAxis(about, known) : numberAxis(about, numbers.filter(Number.isFinite));
}

function textAxis(about, known) {
  const names = [...new Set(known.map(String))].sort();
  const texts = new Map(names.map((name, i) => [name, i]));
  const most = Math.max(1, names.length - 1);
  const step = Math.ceil(names.length / 16);
  const of = value => (names.length === 1 ? 0.5 : value / most);
  return {
    ...about, isLog: false, texts, low: 0, high: names.length - 1, at: value => (texts.has(String(value)) ? of(texts.get(String(value))) : NaN), position: of, back: part => part * most,
    ticks: names.map((text, i) => ({ value: i, text: text.length > 14 ? `${text.slice(0, 13)}…` : text })).filter((_, i) => i % step === 0), isFew: names.length <= FEW,
  };
}

function numberAxis(about, numbers) {
  const sorted = Float64Array.from(numbers).sort();
  let low = sorted[0] ?? 0;
  let high = sorted[sorted.length - 1] ?? 1;
  const unique = [...new Set(sorted)];
  const isFew = unique.length <= FEW;
  // The worst outliers of a metric would press all others together: they are drawn at the end of the axis.
  if (about.isMetric && sorted.length > 8 && about.isTurned) high = Math.min(high, sorted[Math.floor((sorted.length - 1) * 0.95)] + (sorted[Math.floor((sorted.length - 1) * 0.75)] - low) * 0.5);
  const isLog = !about.isMetric && low > 0 && high / low >= 9;
  const f = isLog ? Math.log10 : value => value;
  const g = isLog ? value => 10 ** value : value => value;
  const [from, to] = [f(low), f(high)];
  const room = isFew && !about.isMetric ? 0 : (to - from) * 0.03;
  const whole = to - from + 2 * room;
  const part = value => (whole > 0 ? Math.max(0, Math.min(1, (f(value) - from + room) / whole)) : 0.5);
  const position = value => (about.isTurned ? 1 - part(value) : part(value));
  return {
    ...about, isLog, texts: null, low, high, isFew, position, at: value => { const number = typeof value === 'number' ? value : value === null || value === undefined || value === '' ? NaN : Number(value); return Number.isFinite(number) ? position(number) : NaN; },
    back: at => g(from - room + (about.isTurned ? 1 - at : at) * whole), ticks: (isFew && !about.isMetric ? unique : isLog ? logSplits(low, high) : high > low ? evenSplits(low, high, roundStep(low, high, MOST)) : [low]).map(value => ({ value, text: isFew && !about.isMetric ? brief(value) : tick(value) })),
  };
}

/** How good a row is from 0 to 1, by the metric that rows are sorted by; the middle where that is not known. */
export const goodness = (axis, value) => { const at = axis ? axis.at(value) : NaN; return Number.isNaN(at) ? 0.5 : at; };
