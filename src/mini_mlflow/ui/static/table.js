// The left pane: runs as rows, only those in view. The rows are also the legend of every chart.
import { html, Component } from './vendor/preact.js';
import { S, go, join } from './address.js';
import { M, find, findAll, load, need, watchModel } from './model.js';
import { setBusy } from './hover.js';
import { Row, GroupRow, selection } from './rows.js';
import { bestOf, bestWay, nextKind, sortBy, sorting, tableColumns, textOf } from './columns.js';
import { renaming } from './rowactions.js';
import { Icon, Key } from './parts.js';

const HEIGHT = 28;
const HEAD = 40;
const BARS = 108; // px of the bars above and the foot below
const MARGIN = 10; // rows above and below what is seen

export class Table extends Component {
  state = { top: 0, room: innerHeight - BARS, width: Math.round(innerWidth * Number(S.w) / 100), focus: null, renaming: null };

  componentDidMount() {
    this.size = new ResizeObserver(() => {
      const { clientHeight: room, clientWidth: width } = this.box;
      if (room !== this.state.room || Math.abs(width - this.state.width) > 1) this.setState({ room, width });
    });
    this.size.observe(this.box);
    renaming.start = row => this.setState({ renaming: row.ref });
    this.box.addEventListener('mouseleave', () => setBusy('table', false));
    this.box.addEventListener('mousemove', () => setBusy('table', true), { passive: true });
    this.end = watchModel(() => this.keepPlace());
  }

  componentWillUnmount() { this.size.disconnect(); this.end(); setBusy('table', false); }

  /** Rows that come in above what is looked at do not push it down. */
  keepPlace() {
    const { anchor } = this;
    if (!anchor || !this.box || this.box.scrollTop < HEIGHT || anchor.version === M.version || !M.stale) return;
    const at = M.rows.findIndex(row => row?.ref === anchor.ref);
    if (at >= 0 && at !== anchor.at) {
      const moved = (at - anchor.at) * HEIGHT;
      anchor.at = at;
      queueMicrotask(() => { this.box.scrollTop += moved; });
    }
  }

  scrolled = () => {
    const { scrollTop } = this.box;
    const at = Math.floor(scrollTop / HEIGHT);
    this.anchor = M.rows[at] ? { ref: M.rows[at].ref, at, version: M.version } : null;
    if (Math.abs(scrollTop - this.state.top) >= HEIGHT) this.setState({ top: scrollTop });
  };

  openGroup = group => {
    if (M.open.has(group.id)) M.open.delete(group.id);
    else M.open.add(group.id);
    this.forceUpdate();
    load({ isLive: true });
  };

  /** All lines of the table in order: runs, or groups with the runs of those that are open. */
  lines() {
    if (!M.groups) return { count: M.isHeld ? M.rows.length : M.matched, at: index => (M.rows[index] ? { row: M.rows[index] } : null) };
    const flat = [];
    for (const group of M.groups) {
      flat.push({ group });
      if (M.open.has(group.id)) for (const row of M.rows) if (row && (row.group === group.id || group.runs.includes(row.ref))) flat.push({ row, over: group.over || [] });
    }
    return { count: flat.length, at: index => flat[index] };
  }

  /** Move the focus to a line, also to one that is not in the document yet. */
  focusLine(index) {
    const lines = this.lines();
    const to = Math.max(0, Math.min(lines.count - 1, index));
    const line = lines.at(to);
    if (!line) { need(to, to + 1); return; }
    const ref = (line.row || line.group).ref;
    const room = this.box.clientHeight - HEAD - this.pinned().length * HEIGHT;
    if (to * HEIGHT < this.box.scrollTop) this.box.scrollTop = to * HEIGHT;
    else if ((to + 1) * HEIGHT > this.box.scrollTop + room) this.box.scrollTop = (to + 1) * HEIGHT - room;
    this.setState({ focus: ref, top: this.box.scrollTop }, () => this.box.querySelector(`tr[data-id="${CSS.escape(ref)}"]`)?.focus({ preventScroll: true }));
    if (S.r && line.row) go({ r: line.row.short }, true);
  }

  /** Bring the row of a run into view, with the focus; those that are pinned always are. */
  reveal(short) {
    const row = find(short);
    if (!row || this.pinned().includes(row)) return;
    const lines = this.lines();
    for (let i = 0; i < lines.count; i += 1) if (lines.at(i)?.row === row) { this.focusLine(i); return; }
  }

  /** Go *by* lines further from the one with the focus. */
  step(by) {
    const lines = this.lines();
    let at = -1;
    const ref = this.state.focus;
    for (let i = 0; ref && i < lines.count; i += 1) { const line = lines.at(i); if (line && (line.row || line.group).ref === ref) { at = i; break; } }
    this.focusLine(at < 0 ? (by > 0 ? 0 : lines.count - 1) : at + by);
  }

  keys = event => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: Math.floor(this.state.room / HEIGHT) - 2, PageUp: 2 - Math.floor(this.state.room / HEIGHT) };
    if (event.target.closest('input, .menu, thead')) return;
    if (steps[event.key]) this.step(steps[event.key]);
    else if (event.key === 'Home') this.focusLine(0);
    else if (event.key === 'End') this.focusLine(this.lines().count - 1);
    else if (event.key === ' ') event.target.querySelector('input')?.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  pinned() { return M.groups ? [] : findAll('p'); }

  toggleAll = () => {
    const rows = M.rows.filter(Boolean);
    const chosen = selection();
    const isAll = rows.every(row => chosen.has(row.short));
    go({ d: isAll ? '' : join(rows.slice(0, 500).map(row => row.short)) });
  };

  render({ isWide }, { top, room, width, focus, renaming: named }) {
    const columns = tableColumns(isWide);
    const texts = columns.map(textOf);
    const bests = columns.map(bestOf);
    const { name: sorted, isDown } = sorting();
    const lines = this.lines();
    const pins = this.pinned();
    const selected = selection();
    const names = new Map();
    const from = Math.max(0, Math.floor(top / HEIGHT) - MARGIN);
    const to = Math.min(lines.count, Math.ceil((top + room) / HEIGHT) + MARGIN);
    need(from, to);
    const seen = [];
    for (let i = from; i < to; i += 1) {
      const line = lines.at(i);
      seen.push({ i, line });
      if (line?.row) names.set(line.row.name, (names.get(line.row.name) || 0) + 1);
    }
    const first = lines.at(0);
    const view = {
      selected, focus: focus && M.byRef.has(focus) ? focus : focus && M.groups ? focus : (first?.row || first?.group)?.ref, pins: pins.length, renaming: named, openGroup: this.openGroup,
      focused: ref => { if (this.state.focus !== ref) this.setState({ focus: ref }); }, rename: row => this.setState({ renaming: row ? row.ref : null }), isTwin: row => names.get(row.name) > 1,
    };
    const isAll = selected.size > 0 && M.rows.every(row => !row || selected.has(row.short));
    const row = (item, i, extra = {}) => html`<${Row} key=${(extra.pin === undefined ? '' : 'pin ') + item.ref} row=${item} at=${i} columns=${columns} texts=${texts} bests=${bests} sorted=${sorted} view=${view} ...${extra}/>`;
    return html`<div class="tbl ${M.groups ? 'grouped' : ''}" style=${{ '--name-w': `${nameWidth(seen, isWide, width, columns.length)}px` }} ref=${e => { this.box = e; }} onScroll=${this.scrolled} onKeyDown=${this.keys}>
      <table role="grid" aria-label=${M.groups ? 'Groups of runs' : 'Runs'} aria-rowcount=${lines.count + 1} aria-colcount=${columns.length + 4}><thead><tr role="row" aria-rowindex="1">
        <th class="c-sel" role="columnheader">${M.groups ? html`<span class="vh">open</span>` : html`<input type="checkbox" aria-label="Select all that are loaded" checked=${isAll} indeterminate=${selected.size > 0 && !isAll} onClick=${this.toggleAll}/>`}</th>
        <th class="c-sw" role="columnheader"><span title="Shown in charts"><${Icon} n="eye"/><span class="vh">in charts</span></span></th>
        <th class="c-name" role="columnheader" aria-sort=${sorted === 'name' ? (isDown ? 'descending' : 'ascending') : 'none'}><small>run</small>${M.groups ? html`<span>group</span>` : html`<button type="button" class="key" onClick=${() => sortBy({ order: 'name', kind: 'name' })}>${sorted === 'name' ? (isDown ? '↓ ' : '↑ ') : ''}name</button>`}</th>
        <th class="c-st" role="columnheader"><span class="vh">status</span></th>
        ${columns.map(column => html`<${Head} key=${column.name} column=${column} isSorted=${Boolean(column.order) && column.order === sorted} isDown=${isDown} isWide=${isWide}/>`)}<th class="c-act"></th>
      </tr></thead><tbody>
        ${pins.map((item, i) => row(item, i, { pin: i }))}
        ${from > 0 && html`<tr key="above" class="spacer" aria-hidden="true"><td style=${{ height: `${from * HEIGHT}px` }}></td></tr>`}
        ${seen.map(({ i, line }) => (!line ? html`<tr key=${`empty ${i}`} aria-hidden="true"><td class="c-sel"></td><td class="c-sw"></td><td class="c-name"></td><td class="c-st"></td>${columns.map(() => html`<td></td>`)}<td class="c-act"></td></tr>`
          : line.group ? html`<${GroupRow} key=${line.group.ref} group=${line.group} at=${i} columns=${columns} texts=${texts} sorted=${sorted} view=${view} isOpen=${M.open.has(line.group.id)} isBest=${line.group === M.groups[0]}/>`
            : row(line.row, i, line.over ? { over: line.over } : {})))}
        ${to < lines.count && html`<tr key="below" class="spacer" aria-hidden="true"><td style=${{ height: `${(lines.count - to) * HEIGHT}px` }}></td></tr>`}
      </tbody></table>
      ${M.isLoaded && !lines.count && !M.pending && html`<div class="no-rows"><p>${S.y === 'deleted' ? 'No deleted runs' : S.q ? 'No run matches' : 'No runs in this experiment yet'}</p>${S.q && html`<button type="button" class="btn" onClick=${() => go({ q: '' })}>Clear filter</button>`}</div>`}
    </div>`;
  }
}

/** A column's head, two lines: its kind, then its name. */
function Head({ column, isSorted, isDown, isWide }) {
  const isMetric = column.kind === 'metrics';
  const kind = M.groups && isMetric ? `${column.label}, mean` : column.label;
  const arrow = isSorted ? (isDown ? '↓ ' : '↑ ') : '';
  const way = isMetric && bestWay(column);
  return html`<th class="num ${isSorted ? 'sorted' : ''}" role="columnheader" aria-sort=${isSorted ? (isDown ? 'descending' : 'ascending') : 'none'}>
    ${isMetric && !M.groups ? html`<button type="button" class="kind" title="Show min, max, last or mean" onClick=${() => nextKind(column, isWide)}>${kind}</button>` : html`<small>${kind}</small>`}
    ${column.order ? html`<button type="button" class="key" title=${`Sort by ${column.key}${way ? ` (best is ${way})` : ''}`} onClick=${() => sortBy(column)}>${arrow}${isMetric ? column.key : html`<${Key} k=${column.key}/>`}</button>` : html`<span>${column.key}</span>`}</th>`;
}

/** How many letters the tags beside a name take. */
const tagsLength = row => Object.entries(row.tags).slice(0, 3).reduce((sum, [key, value]) => sum + 3 + key.length + (value === 'true' ? 0 : value.length), 0);

let pen = null;
/** How wide a text is in the table, in pixels. */
function textWidth(text) {
  if (!pen) {
    pen = document.createElement('canvas').getContext('2d');
    const { fontFamily, fontSize } = getComputedStyle(document.body);
    pen.font = `500 ${fontSize} ${fontFamily}`;
  }
  return pen.measureText(text).width;
}

const FIXED = 96; // px of the box, the swatch and the marks of a group
const FIGURE = 145; // px of a mean with its spread

/** The width of the names: that of the longest in view, within bounds; groups get what their first columns leave. */
function nameWidth(seen, isWide, width, columns) {
  let longest = 0;
  for (const { line } of seen) {
    if (line?.group) longest = Math.max(longest, textWidth(`${line.group.label} n=${line.group.n}`) + 32);
    else if (line?.row) longest = Math.max(longest, (line.row.name.length + (line.over ? 10 : 0) + (isWide ? tagsLength(line.row) : 0)) * 7 + 12);
  }
  const most = M.groups ? Math.max(260, width - FIXED - FIGURE * Math.min(2, columns)) : isWide ? 260 : 160;
  return Math.max(96, Math.min(most, Math.ceil(longest)));
}
