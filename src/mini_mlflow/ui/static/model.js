// What does the page know of the runs? The answer of the server for the present view, a window of rows at a time.
import { S, go, plainOf, split, join } from './address.js';
import { boot } from './boot.js';
import { ask, unfold, Refusal } from './server.js';
import { assign } from './colors.js';
import { busy } from './hover.js';

export const PAGE = 100;
const MOST_GROUPS = 500;
const IN_PAGE = new Set(['step', 'duration', 'started', 'ended', 'id', 'note']); // columns that every row brings along

/** What is known at the moment. `rows` is sparse: only windows that were looked at. */
export const M = {
  stores: boot?.stores || [], experiments: boot?.experiments || [], rows: [], byRef: new Map(), groups: null, columns: [], keys: { metrics: [], params: [], tags: [] },
  total: 0, matched: 0, statuses: {}, first: [], gone: new Set(), problems: [], problemCount: 0, pending: null, idLength: 6, order: [], goal: null,
  groupCount: 0, sortedMetric: null, stamp: null, shown: [], failure: null, filterError: null, filter: '', isLoaded: false, open: new Set(), version: 0,
};
const watchers = new Set();
export function watchModel(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}
export function changed() {
  M.version += 1;
  watchers.forEach(watcher => watcher());
}

export const isReadOnly = () => Boolean(boot?.server?.is_read_only) || M.stores[Number(S.i)]?.is_writable === false;
export const store = () => M.stores.find(each => each.number === Number(S.i)) || M.stores[0];
/** The experiments that are looked at: those of the address, else what the server chose. */
export function experiments() {
  if (S.e) return split(S.e).map(id => `${S.i}/${id}`);
  const chosen = (boot?.view?.experiments || []).filter(ref => ref.split('/')[0] === S.i);
  if (chosen.length) return chosen;
  const own = M.experiments.filter(each => each.ref.split('/')[0] === S.i && each.stage === 'active');
  const first = own.find(each => each.runs) || own[0];
  return first ? [first.ref] : [];
}

/** The start of an id by which the address names a run. */
export const shorten = id => id.slice(0, Math.max(6, M.idLength));
const resolved = new Map();
/** The row that the start of an id means, where it is known. */
export function find(short) {
  const ref = resolved.get(short);
  if (ref) return M.byRef.get(ref) || null;
  for (const row of M.byRef.values()) {
    if (row.id === short || row.short === short || row.id.startsWith(short)) {
      resolved.set(short, row.ref);
      return row;
    }
  }
  return null;
}
export const findAll = name => split(S[name]).map(find).filter(Boolean);

/** A param, tag or metric as filters, orders and columns name it. */
export function nameOf(kind, key) {
  const known = M.keys[kind]?.find(each => each.key === key);
  if (known) return known.name;
  return `${kind}.${/^[\w./:+-]+$/.test(key) ? key : `\`${key}\``}`;
}

/** The same for a request: null means all, as in a store that has none yet. */
export const scope = () => { const refs = experiments(); return refs.length ? refs : null; };

/** Look at the runs, or at the deleted ones: what is open, or selected, of the ones is not among the others. */
export const showStage = stage => go({ y: stage, r: '', d: '', v: S.v === 'compare' ? 'charts' : S.v });

/** What the present view asks of api/runs. */
export function query() {
  const wanted = S.c ? split(S.c).filter(name => !IN_PAGE.has(name)) : null;
  const isDown = S.s[0] === '-';
  return {
    experiments: scope(), filter: S.q, stage: S.y, shown: Number(S.n), columns: wanted,
    order: S.s ? [`${S.s.slice(isDown ? 1 : 0)} ${isDown ? 'DESC' : 'ASC'}`] : null,
    group: S.g ? { by: S.g === 'auto' ? 'auto' : split(S.g).map(key => nameOf('params', key)), open: [...M.open] } : null,
  };
}

const PICKED = ['p', 'd', 'o', 'h', 'r'];
/** The refs of all runs that the address names; ids that no row has yet are asked for. */
async function picks() {
  const ids = [...new Set(PICKED.flatMap(name => split(S[name])))].slice(0, 2000);
  const unknown = ids.filter(id => !resolved.has(id) && !find(id));
  if (unknown.length) {
    const { refs } = await ask('api/resolve', { ids: unknown, experiments: null, stage: S.y });
    for (const id of unknown) resolved.set(id, refs[id] || '');
  }
  return [...new Set(ids.map(id => resolved.get(id) || find(id)?.ref).filter(Boolean))];
}

/** Ask anew which stores and experiments there are. */
export async function refreshExperiments() {
  const answer = await ask('api/experiments').catch(() => null);
  if (answer) Object.assign(M, { stores: answer.stores, experiments: answer.experiments });
}

let latest = 0;
let loadedFor = '';
/**
 * Load the rows of the present view.
 * @param {{offset?: number, isLive?: boolean}} [how] which window, and whether only news are looked for: then nothing moves under a pointer
 */
export async function load({ offset = 0, isLive = false } = {}) {
  const mine = ++latest;
  if (!experiments().length) {
    await refreshExperiments();
    const elsewhere = S.e || experiments().length ? null : M.experiments.find(each => each.stage === 'active' && each.runs);
    if (elsewhere) {
      go({ i: elsewhere.ref.split('/')[0] }, true); // the first run of all went into another store: that is loaded
      return;
    }
  }
  const body = query();
  const key = JSON.stringify(body);
  try {
    const limit = body.group ? MOST_GROUPS : PAGE;
    const answer = await ask('api/runs', { ...body, offset: body.group ? 0 : offset, limit, picks: await picks() });
    if (mine !== latest) return;
    Object.assign(M, { failure: null, filterError: null, filter: S.q });
    take(answer, key !== loadedFor || !isLive, key);
    if (answer.pending) setTimeout(() => { if (mine === latest) load({ offset, isLive: true }); }, 500);
  } catch (error) {
    if (mine === latest) refuse(error);
  }
}

function refuse(error) {
  const isWrong = error instanceof Refusal && ['query', 'invalid', 'not_found'].includes(error.code);
  if (isWrong && error.code === 'query' && error.facts.where === 'filter' && S.q) {
    M.filterError = error.facts;
    if (!M.isLoaded) rescue({ q: '' });
  } else if (isWrong && S.s && error.facts.where === 'order') {
    rescue({ s: '' });
  } else if (isWrong && !M.isLoaded && ['i', 'e', 'q', 'g', 's', 'c'].some(name => S[name] !== plainOf(name))) {
    rescue({ i: plainOf('i'), e: '', q: '', g: '', s: '', c: '' });
  } else if (error.name !== 'AbortError') {
    M.failure = error;
  }
  changed();
}

/** A link that means nothing here opens the nearest view that exists. */
function rescue(change) {
  const error = M.filterError;
  go(change, true);
  load().then(() => { M.filterError = error; changed(); });
}

/** Take an answer of api/runs; `isNew`: other rows are meant than before. */
export function take(answer, isNew, key = JSON.stringify(query())) {
  const isSame = key === loadedFor && !isNew;
  loadedFor = key;
  const columns = answer.columns || [];
  const rows = rowsOf(answer.rows, columns);
  if (!isSame) M.byRef = new Map();
  for (const row of [...rowsOf(answer.extra, columns), ...rows]) M.byRef.set(row.ref, row);
  Object.assign(M, {
    columns, total: answer.total, matched: answer.matched, statuses: answer.statuses || {}, first: answer.first || [], stamp: answer.stamp, goal: answer.goal,
    keys: answer.keys || M.keys, order: answer.order || [], sortedMetric: answer.sorted_metric, idLength: answer.id_length || 6, pending: answer.pending || null,
    groupCount: answer.groups?.total ?? 0, problems: answer.problems || [], problemCount: answer.problem_count || 0, isLoaded: true, clock: (answer.now_ms || Date.now()) - Date.now(),
  });
  for (const ref of answer.gone || []) M.gone.add(ref);
  place(answer, rows, isSame);
  M.groups = answer.groups ? groupsOf(answer.groups, answer.rows) : null;
  show();
  changed();
}

/** Put rows where they belong; while the pointer rests on the table, known rows keep their places and only their values change. */
function place(answer, rows, isSame) {
  const offset = answer.groups ? 0 : answer.offset || 0;
  if (isSame && busy.table && rows.length && M.rows.length) {
    M.rows = M.rows.map(row => M.byRef.get(row.ref) || row);
    M.isHeld = true;
    return;
  }
  M.isHeld = false;
  const before = isSame ? M.rows : [];
  M.rows = isSame && offset ? before.slice() : [];
  rows.forEach((row, index) => { M.rows[offset + index] = row; });
  if (isSame && !answer.groups) {
    // Windows beyond this one stay until they are looked at again.
    before.forEach((row, index) => { if (index >= offset + rows.length && index < M.matched && !rows.includes(row)) M.rows[index] ??= M.byRef.get(row.ref) || row; });
  }
  M.stale = isSame;
}

/** Load what the table needs from row *from* to row *to*, where it is not there yet. */
export function need(from, to) {
  if (M.groups || !M.isLoaded) return;
  for (let index = from; index < Math.min(to, M.matched); index += 1) {
    if (M.rows[index] || (M.isHeld && index >= M.rows.length)) continue;
    const offset = Math.floor(index / PAGE) * PAGE;
    if (asking.has(offset)) return;
    asking.add(offset);
    more(offset).finally(() => asking.delete(offset));
    return;
  }
}
const asking = new Set();
async function more(offset) {
  const key = loadedFor;
  const answer = await ask('api/runs', { ...query(), offset, limit: PAGE, picks: [] }).catch(() => null);
  if (!answer || key !== loadedFor) return;
  rowsOf(answer.rows, answer.columns).forEach((row, index) => { M.rows[offset + index] = row; M.byRef.set(row.ref, row); });
  changed();
}

function rowsOf(block, columns) {
  if (!block?.ref) return [];
  const numbers = columns.map(column => column.type === 'number' || column.type === 'mixed');
  return block.ref.map((ref, i) => ({
    ref, id: block.id[i], short: block.id[i].slice(0, Math.max(6, M.idLength)), name: block.name[i] || block.id[i].slice(0, 8), status: block.status[i], start: block.start_ms[i],
    end: block.end_ms[i], duration: block.duration_s[i], rank: block.rank[i] || 0, step: block.step[i], parent: block.parent[i], problems: block.problems[i],
    hasNote: block.note[i], tags: block.tags[i] || {}, nan: block.first_nan_step[i], group: block.group?.[i],
    cells: block.values.map((values, c) => (numbers[c] ? unfold(values[i]) : values[i])),
  }));
}

function groupsOf(block) {
  return block.id.map((id, i) => ({
    id, ref: id, short: id, label: block.label[i], n: block.n[i], statuses: block.statuses[i], rank: block.rank[i] || 0, runs: block.runs[i],
    by: block.by.map((name, k) => [name, block.values_by[i][k]]),
    stats: block.stats.map(stat => (stat.same ? { same: stat.same[i] } : {
      mean: unfold(stat.mean[i]), std: unfold(stat.std[i]), min: unfold(stat.min[i]), max: unfold(stat.max[i]), count: stat.count[i], isNoise: stat.is_within_noise[i], soFar: unfold(stat.so_far[i]),
    })),
    over: block.over,
  }));
}

/** Work out what is in the charts: what the server proposes, and what was chosen by hand; each gets its colour. */
export function show() {
  const hidden = new Set(split(S.h));
  if (M.groups) {
    M.shown = M.groups.filter((group, i) => (i < Number(S.n) || split(S.o).includes(group.id)) && !hidden.has(group.id));
  } else {
    const rows = [...M.first.map(ref => M.byRef.get(ref)), ...findAll('o')].filter(row => row && !hidden.has(row.short));
    const places = new Map();
    M.rows.forEach((row, i) => places.set(row.ref, i)); // not of windows that nobody has looked at
    M.shown = [...new Set(rows)].sort((a, b) => (places.get(a.ref) ?? 1e9) - (places.get(b.ref) ?? 1e9));
  }
  assign([...M.shown].sort((a, b) => a.rank - b.rank || (a.ref < b.ref ? -1 : 1)));
  M.shownRefs = new Set(M.shown.map(item => item.ref));
}

export const isShown = item => Boolean(M.shownRefs?.has(item.ref));
/** The time of the server's clock. */
export const now = () => Date.now() + (M.clock || 0);
/** The address text that opens these rows as the selection. */
export const idsOf = rows => join(rows.map(row => row.short));
