// How are the charts laid out? In sections by prefix, side by side, in the count of columns that leaves the fewest holes.
import { html, Component } from './vendor/preact.js';
import { S } from './address.js';
import { M } from './model.js';
import { Card } from './card.js';
import { want } from './series.js';
import { prefixEnd } from './format.js';
import { Icon, Key } from './parts.js';

const CARD = 290; // least width of a card
const MOST_CARDS = 400; // of one section, until it is asked for more

/** Metrics by section; the one with the sorted metric first, "system" last. */
export function sections(metrics, first) {
  const found = new Map();
  for (const { key } of metrics) {
    const prefix = key.slice(0, Math.max(0, prefixEnd(key) - 1));
    if (!found.has(prefix)) found.set(prefix, []);
    found.get(prefix).push(key);
  }
  const home = first === null || first === undefined ? null : first.slice(0, Math.max(0, prefixEnd(first) - 1));
  const weight = prefix => (prefix === home ? -1 : prefix === 'system' || prefix.startsWith('system/') ? 2 : prefix === '' ? 1 : 0);
  const list = [...found].sort((a, b) => weight(a[0]) - weight(b[0]));
  for (const [prefix, keys] of list) if (prefix === home && first) keys.sort((a, b) => (b === first) - (a === first));
  return list;
}

function rowsOf(sizes, columns) {
  const rows = [];
  let tall = 0;
  for (const size of sizes) {
    if (size >= columns) {
      tall += Math.ceil(size / columns);
      continue;
    }
    const row = rows.findIndex(filled => filled + size <= columns);
    if (row < 0) rows.push(size);
    else rows[row] += size;
  }
  return rows.length + tall;
}

/** The count of columns, and the height of a plot, that fill a pane. */
export function layout(sizes, width, room) {
  const most = Math.max(1, Math.floor(width / CARD));
  const all = sizes.reduce((a, b) => a + b, 0);
  let columns = 1;
  let holes = Infinity;
  for (let count = 1; count <= most; count += 1) {
    const left = rowsOf(sizes, count) * count - all;
    if (left <= holes || count <= 2) [holes, columns] = [left, count];
  }
  const rows = Math.min(3, rowsOf(sizes, columns));
  const height = Math.floor(Math.max(180, Math.min((0.8 * width) / columns, Math.floor((room - 10) / Math.max(1, rows)) - 62)));
  return { columns, height };
}

/** How large the pane will be, before anything is laid out. */
const guess = () => ({ width: innerWidth < 720 ? innerWidth - 16 : Math.round(innerWidth * (1 - Number(S.w) / 100)) - 17, room: innerHeight - 80 });

/** Ask for the curves that will be seen first, before anything is drawn: what is asked early is there early. */
export function askAhead() {
  if (S.v !== 'charts' || S.r || !M.shown.length) return;
  const { width, room } = guess();
  const list = sections(M.keys.metrics, M.sortedMetric);
  const { columns } = innerWidth < 720 ? { columns: 1 } : layout(list.map(([, keys]) => keys.length), width, room);
  const seen = innerWidth < 720 ? 1 : 3 * columns;
  const metrics = [];
  for (const [, keys] of list) {
    if (metrics.length < seen) metrics.push(...keys.slice(0, Math.max(columns, seen - metrics.length)));
  }
  // The first row on its own, and the others behind it: two at a time would hold each other up.
  const ask = some => want(M.shown, some, width / columns - 8);
  ask(metrics.slice(0, columns)).then(() => ask(metrics.slice(columns)));
}

const shut = new Set();
export class Charts extends Component {
  state = guess(); // so that the cards stand in the first layout

  componentDidMount() {
    this.size = new ResizeObserver(entries => {
      const width = entries.find(({ target }) => target === this.box)?.contentRect.width ?? this.state.width;
      const room = this.box.parentElement.clientHeight;
      if (Math.abs(width - this.state.width) > 1 || Math.abs(room - this.state.room) > 1) this.setState({ width, room });
    });
    this.size.observe(this.box);
    this.size.observe(this.box.parentElement);
  }

  componentWillUnmount() { this.size.disconnect(); }

  render({ find, narrow }, { width, room }) {
    const wanted = find ? M.keys.metrics.filter(({ key }) => key.toLowerCase().includes(find.toLowerCase())) : M.keys.metrics;
    const list = sections(wanted, M.sortedMetric);
    const { columns, height } = narrow ? { columns: 1, height: 176 } : layout(list.filter(([p]) => !shut.has(p)).map(([, keys]) => keys.length), width || 800, room || 700);
    const goals = new Map(M.keys.metrics.map(each => [each.key, each.goal]));
    const sig = signature();
    return html`<div class="grid" style=${{ '--cols': columns }} ref=${e => { this.box = e; }}>
      ${width > 0 && list.map(([prefix, keys]) => html`<section key=${prefix} class="sec ${shut.has(prefix) ? 'shut' : ''}" style=${{ '--k': Math.min(keys.length, columns) }} aria-label=${prefix || 'no prefix'}>
        <h2><button type="button" aria-expanded=${!shut.has(prefix)} onClick=${() => { shut.has(prefix) ? shut.delete(prefix) : shut.add(prefix); this.forceUpdate(); }}><${Icon} n="down" s=12/><span class="say">${prefix || 'no prefix'}</span><small>${keys.length}</small></button></h2>
        ${!shut.has(prefix) && html`<div class="cards">${keys.slice(0, MOST_CARDS).map(key => html`<${Card} key=${key} metric=${key} section=${prefix} goal=${goals.get(key)} items=${M.shown} sig=${sig} height=${height}/>`)}</div>`}
        ${keys.length > MOST_CARDS && !shut.has(prefix) && html`<p class="dimt">${keys.length - MOST_CARDS} more: use Find chart.</p>`}</section>`)}
      ${width > 0 && !list.length && M.isLoaded && !M.pending && M.matched > 0 && html`<div class="empty"><h2>${find ? 'No chart is named like that' : 'No metrics yet'}</h2><p>${find ? html`No metric has <code>${find}</code> in its name.` : 'These runs have logged none.'}</p></div>`}
    </div>`;
  }
}

/** Changes whenever a chart has to be drawn anew. */
export function signature(items = M.shown) {
  return [S.x, S.z, S.m, S.l, S.u, S.t, S.b, S.k, ...items.map(item => `${item.ref}:${item.slot}:${item.dash}:${item.status || ''}`)].join('|');
}

/** One chart that fills the window. */
export function FullScreen() {
  const goal = M.keys.metrics.find(each => each.key === S.f)?.goal;
  return html`<div class="full" role="dialog" aria-label="Chart of ${S.f}"><${Card} key=${S.f} metric=${S.f} section="full" goal=${goal} items=${M.shown} sig=${signature()} height=${innerHeight - 44 - 16 - (innerWidth < 720 ? 46 : 34)} title=${html`<${Key} k=${S.f}/>`}/></div>`;
}
