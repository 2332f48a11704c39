// Which columns does the table have, what do they hold, and how do they read?
import { S, split, join, go } from './address.js';
import { M, now } from './model.js';
import { num, column as aligned, span, ago, bothTimes, brief } from './format.js';

/** Columns that every row brings along. */
const OWN = {
  step: { name: 'step', kind: 'own', key: 'step', label: 'last', of: row => row.step, text: num, order: 'attributes.last_step' },
  duration: { name: 'duration', kind: 'own', key: 'duration', label: 'time', of: row => row.duration, text: span, order: 'duration' },
  started: { name: 'started', kind: 'own', key: 'started', label: 'time', of: row => row.start, text: at => ago(at, now()), title: bothTimes, order: 'start_time' },
  ended: { name: 'ended', kind: 'own', key: 'ended', label: 'time', of: row => row.end, text: at => ago(at, now()), title: bothTimes, order: 'end_time' },
  id: { name: 'id', kind: 'own', key: 'id', label: 'run', of: row => row.id, text: id => id.slice(0, 12) },
};
export const OWN_NAMES = Object.keys(OWN);
/** What a click on the kind of a metric's column goes through. */
export const KINDS = ['min', 'max', 'last', 'mean'];

/** The columns of the table now. */
export function tableColumns(isWide) {
  const isRoomy = isWide || (innerWidth * Number(S.w)) / 100 >= 720;
  const given = M.columns.map((column, at) => ({
    ...column, at, order: column.name, of: row => row.cells[at], label: column.kind === 'metrics' ? column.function || 'last' : column.label || column.kind,
    isBest: column.kind === 'metrics' && Boolean(bestWay(column)),
  }));
  if (M.groups) return given.filter(column => column.kind === 'metrics').slice(0, S.c ? undefined : isRoomy ? 4 : 2);
  if (S.c) {
    const byName = new Map(given.map(column => [column.name, column]));
    return split(S.c).map(name => OWN[name] || byName.get(name)).filter(Boolean);
  }
  // A narrow table keeps what it is sorted by and one more metric; the others are one click away.
  const metrics = given.filter(column => column.kind === 'metrics');
  const shown = isRoomy ? given : given.filter(column => column.kind !== 'metrics' || metrics.indexOf(column) < 2);
  return [...shown, OWN.step, OWN.duration, ...(isWide ? [OWN.started] : [])];
}

/** The way in which a metric's column is good: from its function, else from its goal. */
export function bestWay(column) {
  if (column.function === 'min' || column.function === 'max') return column.function;
  return M.keys.metrics.find(each => each.key === column.key)?.goal || null;
}

/** How the values of a column read: one count of decimals for numbers of metrics, params as logged, but for digits that nobody typed. */
export function textOf(column) {
  if (column.text) return column.text;
  if (column.type === 'time') return at => ago(at, now());
  if (column.type === 'duration') return span;
  if (column.kind === 'metrics') {
    const values = [];
    for (const row of M.rows) { if (row) values.push(row.cells[column.at]); if (values.length >= 200) break; }
    if (M.groups) values.push(...M.groups.map(group => group.stats[column.at]?.mean ?? group.stats[column.at]?.soFar));
    const read = aligned(values);
    return value => (value === null || value === undefined ? '' : read(value));
  }
  return brief;
}

/** The best value of a column among the rows that are known, to be shown bold. */
export function bestOf(column) {
  if (!column.isBest) return undefined;
  const way = bestWay(column);
  let best;
  for (const row of M.rows) {
    const value = row?.cells[column.at];
    if (typeof value === 'number' && Number.isFinite(value) && (best === undefined || (way === 'min' ? value < best : value > best))) best = value;
  }
  return best;
}

/** The column that rows are sorted by, and whether downwards. */
export function sorting() {
  const text = S.s || '';
  if (text) return { name: text.replace(/^-/, ''), isDown: text[0] === '-' };
  const [first] = M.order;
  if (!first) return { name: '', isDown: false };
  const match = /^(.*?)(?:\s+(ASC|DESC))?$/i.exec(first);
  return { name: match[1], isDown: /desc/i.test(match[2] || '') };
}

/** Sort by a column; the first click brings its best, or its highest, to the top, the next one turns it round. */
export function sortBy(column) {
  if (!column.order) return;
  const now = sorting();
  const isDownFirst = column.kind === 'metrics' ? bestWay(column) !== 'min' : column.kind === 'own';
  const isDown = now.name === column.order ? !now.isDown : isDownFirst;
  go({ s: (isDown ? '-' : '') + column.order });
}

/** Show a metric by its next kind: min, max, last, mean. */
export function nextKind(column, isWide) {
  const at = KINDS.indexOf(column.function || 'last');
  const kind = KINDS[(at + 1) % KINDS.length];
  const name = kindName(column.key, kind);
  const list = tableColumns(isWide).map(each => (each.name === column.name ? name : each.name));
  const { name: sorted, isDown } = sorting();
  go({ c: join([...new Set(list)]), ...(sorted === column.name ? { s: (isDown ? '-' : '') + name } : {}) });
}

/** The name of a metric's column of one kind: `min(val/loss)`, `metrics.val/loss` for the last value. */
export function kindName(key, kind) {
  const name = M.keys.metrics.find(each => each.key === key)?.name || `metrics.${key}`;
  return kind === 'last' ? name : `${kind}(${name.replace(/^metrics\./, '')})`;
}

/** Add a column to the table, or take it out. */
export function toggleColumn(name, isWide) {
  const list = tableColumns(isWide).map(column => column.name);
  go({ c: join(list.includes(name) ? list.filter(each => each !== name) : [...list, name]) });
}
