// How does the page keep up? One small request for all, only while it is seen; idle it costs almost nothing.
import { S } from './address.js';
import { M, experiments, load, scope } from './model.js';
import { append, cursors, expire } from './series.js';
import { boot, isReport } from './boot.js';
import { askSeries, isStranger, link, whenBack } from './server.js';
import { visibleCards } from './card.js';

const PERIOD = boot?.server?.poll_ms || 2000;
let timer = 0;

/** Start to ask for news, every two seconds; a report has none. */
export function follow() {
  if (isReport) return;
  document.addEventListener('visibilitychange', () => { if (!document.hidden) soon(0); });
  addEventListener('online', () => soon(0));
  whenBack(() => {
    load({ isLive: true });
    visibleCards().forEach(card => card.ask());
  });
  soon(PERIOD);
}
function soon(delay) {
  clearTimeout(timer);
  if (!document.hidden && !isStranger()) timer = setTimeout(round, delay);
}

async function round() {
  try {
    await once();
  } catch {
    // Said by the top bar; the next round tries again.
  }
  soon(link.state === 'live' ? PERIOD : 2 * PERIOD);
}

async function once() {
  const cards = visibleCards();
  const metrics = [...new Set(cards.map(card => card.props.metric))];
  const running = new Map();
  for (const card of cards) for (const item of card.props.items) for (const row of item.runs ? [] : [item]) if (row.status === 'RUNNING') running.set(row.ref, row);
  const items = [...running.values()];
  const since = cursors(items, metrics);
  const isWanted = since.some(each => each !== null);
  const answer = await askSeries('api/live', {
    stamp: M.stamp, experiments: scope(), stage: S.y, series: isWanted ? { x: S.x, runs: items.map(item => item.ref), metrics, since } : null,
  });
  const isEmpty = M.stores.length > 1 && !experiments().length; // the first run may go into any of them
  if (isEmpty || M.failure?.status >= 500) await load({ isLive: true });
  if (!answer) return;
  const { header, data } = answer;
  if (data && header.x === S.x) append(items, metrics, answer);
  if (header.is_changed) {
    await load({ isLive: true });
    if (M.groups) renewGroups();
  } else if (header.stamp) M.stamp = header.stamp;
}

/** A mean over runs that go on is worked out by the server: it is asked for again, whole. */
function renewGroups() {
  const growing = M.groups.filter(group => group.statuses.RUNNING);
  if (!growing.length) return;
  expire(growing);
  visibleCards().forEach(card => card.ask());
}
