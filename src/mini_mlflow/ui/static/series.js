// Which histories has the page loaded, and which does it still need? One request brings many.
import { S } from './address.js';
import { askSeries, arrayOf } from './server.js';
import { broken } from './smooth.js';

const MOST = 2000; // series of one answer
/** @typedef {{x: Float64Array, y: Float32Array|Float64Array, means: ?Object, rows: number, isRaw: boolean, since: ?string, last: ?Object, end: ?Object, min: ?Object, max: ?Object, firstNan: ?number, error: ?string}} Series */

const cache = new Map(); // by what is drawn and the metric
const asking = new Set();
let setting = '';
const watchers = new Map(); // metric -> calls

/** Call *call* whenever series of *metric* arrive; returns what ends that. */
export function watchSeries(metric, call) {
  if (!watchers.has(metric)) watchers.set(metric, new Set());
  watchers.get(metric).add(call);
  return () => watchers.get(metric).delete(call);
}
function tell(metrics) {
  for (const metric of new Set(metrics)) watchers.get(metric)?.forEach(call => call());
}

const keyOf = (item, metric) => `${item.runs ? `${item.id}\n${S.b}\n${item.runs.length}` : item.ref}\n${metric}`;
const zoom = () => (S.z ? S.z.split(',').map(Number) : null);

/** What is known of a run's or group's metric, also where it was asked for in another zoom. */
export const seriesOf = (item, metric) => cache.get(keyOf(item, metric))?.series || null;

/**
 * Load what is missing of these runs, or groups, and metrics.
 * @param {Array<Object>} items rows or groups
 * @param {string[]} metrics
 * @param {number} width of a chart, in pixels
 * @returns {Promise<void>} when it is there
 */
export async function want(items, metrics, width) {
  const now = [S.x, S.z, S.y].join('\n');
  if (now.split('\n')[0] !== setting.split('\n')[0]) cache.clear(); // on another x axis nothing old means anything
  setting = now;
  const pixels = Math.min(4096, Math.max(64, Math.ceil(width / 160) * 160));
  const isFresh = key => { const known = cache.get(key); return known && known.setting === now && (known.pixels >= pixels || known.series.isRaw); };
  const missing = new Map(); // item -> metrics
  for (const item of items) {
    const open = metrics.filter(metric => !isFresh(keyOf(item, metric)) && !asking.has(`${now}\n${keyOf(item, metric)}`));
    if (open.length) missing.set(item, open);
  }
  if (!missing.size) return;
  const wanted = [...missing.keys()];
  const all = metrics.filter(metric => wanted.some(item => missing.get(item).includes(metric)));
  const size = Math.max(1, Math.floor(MOST / Math.max(1, all.length)));
  const jobs = [];
  for (let i = 0; i < wanted.length; i += size) jobs.push(fetchThese(wanted.slice(i, i + size), all, pixels, now));
  await Promise.all(jobs);
}

async function fetchThese(items, metrics, width, asked) {
  const marks = items.flatMap(item => metrics.map(metric => `${asked}\n${keyOf(item, metric)}`));
  marks.forEach(mark => asking.add(mark));
  let again = false;
  try {
    const isGroups = Boolean(items[0].runs);
    const runs = isGroups ? [...new Set(items.flatMap(item => item.runs))] : items.map(item => item.ref);
    const places = new Map(runs.map((ref, i) => [ref, i]));
    const body = { runs, metrics, stage: S.y, x: S.x, width, range: zoom(), groups: isGroups ? items.map(item => item.runs.map(ref => places.get(ref))) : null, band: S.b, means: !isGroups };
    const answer = await askSeries('api/series', body);
    if (!answer?.data || asked !== setting) return;
    for (const entry of answer.header.series) {
      const item = items[isGroups ? entry.group : entry.run];
      if (entry.error === 'pending') again = true;
      else cache.set(keyOf(item, metrics[entry.metric]), { setting: asked, pixels: width, series: isGroups ? bandOf(entry, answer.data) : lineOf(entry, answer.data) });
    }
    tell(metrics);
  } catch (error) {
    if (error.name !== 'AbortError' && !error.status) return; // the connection: the top bar says so
    for (const item of items) for (const metric of metrics) cache.set(keyOf(item, metric), { setting: asked, pixels: width, series: nothing(error.message) });
    tell(metrics);
  } finally {
    marks.forEach(mark => asking.delete(mark));
    if (again) setTimeout(() => want(items, metrics, width), 500);
  }
}

const nothing = error => ({ gaps: [], x: new Float64Array(), y: new Float32Array(), means: null, rows: 0, isRaw: true, since: null, last: null, end: null, min: null, max: null, firstNan: null, error });

function lineOf(entry, data) {
  if (!entry.n) return { ...nothing(entry.error || null), since: entry.since ?? null };
  const x = arrayOf(data, 'f8', entry.x_at, entry.n);
  const y = arrayOf(data, entry.y === 'f8' ? 'f8' : 'f4', entry.y_at, entry.n);
  const line = broken(x, y, entry.gaps);
  let means = null;
  if (entry.m) {
    const part = broken(arrayOf(data, 'f8', entry.mx_at, entry.m), arrayOf(data, entry.y === 'f8' ? 'f8' : 'f4', entry.my_at, entry.m), entry.gaps);
    means = { ...part, weights: part.x.length === entry.m ? arrayOf(data, 'u4', entry.mw_at, entry.m) : null };
  }
  return {
    ...line, means, gaps: entry.gaps || [], rows: entry.rows, isRaw: entry.is_raw, since: entry.since ?? null, last: numbers(entry.last), end: numbers(entry.end), min: numbers(entry.min), max: numbers(entry.max),
    firstNan: entry.first_nan ?? null, error: entry.error || null,
  };
}

function bandOf(entry, data) {
  if (!entry.n) return { ...nothing(entry.error || null), low: [], high: [], counts: [], members: entry.members || 0 };
  const kind = entry.y === 'f8' ? 'f8' : 'f4';
  return {
    ...nothing(entry.error || null), x: arrayOf(data, 'f8', entry.x_at, entry.n), y: arrayOf(data, kind, entry.mean_at, entry.n), low: arrayOf(data, kind, entry.low_at, entry.n),
    high: arrayOf(data, kind, entry.high_at, entry.n), counts: arrayOf(data, 'u2', entry.count_at, entry.n), members: entry.members, rows: entry.n,
  };
}

function numbers(point) {
  if (!point) return null;
  const value = point.value === 'NaN' ? NaN : point.value === 'Infinity' ? Infinity : point.value === '-Infinity' ? -Infinity : point.value;
  return { ...point, value };
}

/** What the live request needs to know of the running runs that charts show: pairs with their cursors. */
export function cursors(items, metrics) {
  return items.flatMap(item => metrics.map(metric => seriesOf(item, metric)?.since ?? null));
}

/** Take what a live answer brings: rows behind those that are there. */
export function append(items, metrics, answer) {
  const told = [];
  const anew = [];
  for (const entry of answer.header.series) {
    const [item, metric] = [items[entry.run], metrics[entry.metric]];
    const known = item && cache.get(keyOf(item, metric));
    if (!known) continue;
    told.push(metric);
    if (entry.is_anew || (!known.series.isRaw && known.series.x.length > 6 * known.pixels)) {
      known.setting = ''; // asked for again, whole
      anew.push([item, metric, known.pixels]);
      continue;
    }
    grow(known.series, entry, answer.data);
  }
  tell(told);
  for (const [item, metric, pixels] of anew) want([item], [metric], pixels);
}

function grow(series, entry, data) {
  const { x, y, means } = series;
  const xs = arrayOf(data, 'f8', entry.x_at, entry.n);
  const ys = arrayOf(data, entry.y === 'f8' ? 'f8' : 'f4', entry.y_at, entry.n);
  series.x = joined(x, xs, Float64Array);
  series.y = joined(y, ys, y instanceof Float64Array || entry.y === 'f8' ? Float64Array : Float32Array);
  if (means) {
    series.means = { x: joined(means.x, xs, Float64Array), y: joined(means.y, ys, means.y.constructor), weights: means.weights && joined(means.weights, new Uint32Array(entry.n).fill(1), Uint32Array) };
  }
  series.rows += entry.n;
  series.since = entry.since;
  series.last = numbers(entry.last) || series.last;
  series.end = numbers(entry.end) || series.end;
  series.min = numbers(entry.min) || series.min;
  series.max = numbers(entry.max) || series.max;
  if (series.firstNan === null) {
    const nan = ys.findIndex(value => !Number.isFinite(value));
    if (nan >= 0) series.firstNan = xs[nan];
  }
}

function joined(a, b, Kind) {
  const both = new Kind(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Let the curves of these groups be asked for anew; until then the old ones stand. */
export function expire(groups) {
  for (const [key, known] of cache) if (groups.some(group => key.startsWith(`${group.id}\n`))) known.setting = '';
}
