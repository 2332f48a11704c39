// The bar above the table: how many runs, in which state, and what can be done to those that are selected.
import { html, Component } from './vendor/preact.js';
import { S, go, split } from './address.js';
import { M, isReadOnly, findAll, query, showStage } from './model.js';
import { isReport } from './boot.js';
import { askBlob } from './server.js';
import { count, num } from './format.js';
import { Icon, Mark, STATUSES } from './parts.js';
import { Menu, Option, Action } from './menu.js';
import { hideThese, onlyThese, remove, restore, tag, TagField } from './rowactions.js';
import { kindName, OWN_NAMES, sorting, tableColumns, toggleColumn } from './columns.js';
import { alsoWith, splitStatus } from './narrowing.js';
import { save } from './saving.js';
import { say } from './undo.js';

/** Counts of statuses; a click shows only these. */
function Counts() {
  if (isReport) return html`<div class="counts">${STATUSES.filter(status => M.statuses[status]).map(status => html`<span key=${status} class="chip" title=${`${count(M.statuses[status], 'run')} ${status.toLowerCase()}`}><${Mark} s=${status}/>${num(M.statuses[status])}</span>`)}</div>`;
  const { status: chosen, rest } = splitStatus(S.q);
  return html`<div class="counts">${STATUSES.filter(status => M.statuses[status]).map(status => { const isOn = status === chosen; return html`<button key=${status} type="button" class="chip" aria-pressed=${isOn}
    aria-label="${count(M.statuses[status], 'run')} ${status.toLowerCase()}: ${isOn ? 'show all again' : 'show only these'}" title=${isOn ? 'Show all again' : `Only ${status.toLowerCase()}`} onClick=${() => go({ q: isOn ? rest : alsoWith(rest, [`status = '${status}'`]) })}><${Mark} s=${status}/>${num(M.statuses[status])}</button>`; })}</div>`;
}

/** Which columns the table has. */
class ColumnsMenu extends Component {
  state = { text: '' };
  render({ isWide }, { text }) {
    const names = tableColumns(isWide).map(column => column.name);
    const find = key => key.toLowerCase().includes(text.toLowerCase());
    const line = (name, key, note) => html`<${Option} key=${name} on=${names.includes(name)} name=${key} note=${note} onChange=${() => toggleColumn(name, isWide)}/>`;
    const shownKind = key => { const column = M.columns.find(each => each.kind === 'metrics' && each.key === key && names.includes(each.name)); return column ? column.name : kindName(key, M.keys.metrics.find(each => each.key === key)?.goal || 'last'); };
    const params = [...M.keys.params].sort((a, b) => Boolean(b.is_varying) - Boolean(a.is_varying));
    return html`<input class="text-input search" data-first placeholder="Find column" aria-label="Find column" value=${text} onInput=${event => this.setState({ text: event.target.value })}/>
      ${S.c && html`<${Action} name="As at first: those that vary" onClick=${() => go({ c: '' })}/>`}
      <h3>Metrics</h3>${M.keys.metrics.filter(each => find(each.key)).slice(0, 100).map(each => line(shownKind(each.key), each.key, M.columns.find(column => column.name === shownKind(each.key))?.label || each.goal || 'last'))}
      <h3>Params</h3>${params.filter(each => find(each.key)).slice(0, 150).map(each => line(each.name, each.key, each.is_varying ? 'varies' : 'same in all'))}
      ${M.keys.tags.length > 0 && html`<h3>Tags</h3>${M.keys.tags.filter(each => find(each.key)).slice(0, 100).map(each => line(each.name, each.key, ''))}`}
      <h3>Run</h3>${OWN_NAMES.filter(find).map(name => line(name, name, ''))}${(isReport ? [] : ['user_id', 'version']).filter(find).map(key => line(`attributes.${key}`, key === 'version' ? 'commit' : 'user', ''))}`;
  }
}

/** Save what the table shows, its columns and values or groups: all rows that the filter means, also those not loaded. */
async function exportCsv(isWide) {
  const inEachRow = new Set(['duration', 'started', 'ended', 'id']);
  const columns = tableColumns(isWide).filter(column => column.kind !== 'own' || !inEachRow.has(column.key)).map(column => (column.kind === 'own' ? column.order : column.name));
  try {
    save(await askBlob('api/csv', { ...query(), order: M.order, columns, picks: [], is_raw: false }), S.g ? 'groups.csv' : 'runs.csv');
  } catch (error) {
    say(`The table was not saved: ${error.message}`);
  }
}

/** A field for a tag that the selected runs get. */
const TagThese = ({ rows, close, isLater }) => html`<h3>Tag ${count(rows.length, 'run')}</h3><${TagField} isLater=${isLater} onDone=${text => { close(); if (text) tag(rows, text); }}/><p class="hint">Enter adds it: team=vision, or one word.</p>`;

/** What can be done to the selected runs. */
function SelectionBar({ narrow }) {
  const rows = findAll('d');
  const many = split(S.d).length;
  const isDeleted = S.y === 'deleted';
  const canEdit = !isReadOnly() && !isDeleted;
  return html`<span class="selbar"><b>${many} selected</b>
    ${!isDeleted && html`<button type="button" class="btn sm prime" disabled=${many < 2} title="Compare (c)" onClick=${() => go({ v: 'compare', r: '' })}>Compare</button>
    ${!narrow && html`<button type="button" class="btn sm" onClick=${() => onlyThese(rows)}>Only these</button><button type="button" class="btn sm" onClick=${() => hideThese(rows)}>Hide</button>`}`}
    ${canEdit && !narrow && html`<${Menu} label="Tag" button=${({ toggle }) => html`<button type="button" class="btn sm" onClick=${toggle}>Tag</button>`}>${close => html`<${TagThese} rows=${rows} close=${close}/>`}<//>
    <button type="button" class="btn sm" onClick=${() => remove(rows)}>Delete</button>`}
    ${!isDeleted && narrow && html`<${Menu} label="More" button=${({ toggle }) => html`<button type="button" class="btn sm ghost" aria-label="Only these, hide, tag, delete" onClick=${toggle}><${Icon} n="more"/></button>`}>${close => html`<${Action} name="Only these in charts" onClick=${() => { close(); onlyThese(rows); }}/><${Action} name="Hide in charts" onClick=${() => { close(); hideThese(rows); }}/>${canEdit && html`
      <${TagThese} rows=${rows} close=${close} isLater/><${Action} kind="danger" name="Delete" onClick=${() => { close(); remove(rows); }}/>`}`}<//>`}
    ${!isReadOnly() && isDeleted && html`<button type="button" class="btn sm prime" onClick=${() => restore(rows)}>Restore</button>`}
    <span class="grow"></span><button type="button" class="btn sm ghost" aria-label="Clear selection" title="Clear selection" onClick=${() => go({ d: '' })}><${Icon} n="x" s=12/></button></span>`;
}

/** How many groups there are, and how many of them are here. */
const groupsTitle = () => (M.groupCount > M.groups.length ? `first ${num(M.groups.length)} of ${count(M.groupCount, 'group')}` : count(M.groups.length, 'group'));

/** What the runs are sorted by: a narrow page has no heads of columns to click. */
function Sort() {
  const { name, isDown } = sorting();
  const now = (isDown ? '-' : '') + name;
  const columns = [{ order: 'name', key: 'name', label: '' }, ...tableColumns(false).filter(column => column.order)];
  const options = columns.flatMap(({ order, key, label }) => [order, `-${order}`].map(value => [value, `${value[0] === '-' ? '↓' : '↑'} ${key}${['min', 'max', 'mean'].includes(label) ? ` ${label}` : ''}`]));
  if (name && !options.some(([value]) => value === now)) options.unshift([now, `${isDown ? '↓' : '↑'} ${name}`]);
  return html`<select class="text-input sort" aria-label="Sort by" value=${now} onChange=${event => go({ s: event.target.value })}>${options.map(([value, text]) => html`<option key=${value} value=${value} selected=${value === now}>${text}</option>`)}</select>`;
}

export function LeftBar({ narrow, isWide }) {
  if (S.d) return html`<div class="bar"><${SelectionBar} narrow=${narrow}/></div>`;
  const title = !M.isLoaded ? '' : S.y === 'deleted' ? `${count(M.matched, 'deleted run')}` : M.groups ? groupsTitle() : count(M.matched, 'run');
  return html`<div class="bar"><b class="total" title=${S.q ? `${count(M.matched, 'run')} of ${M.total}` : ''}>${title}</b>${S.y === 'deleted' && html`<button type="button" class="link back" onClick=${() => showStage('active')}>Show runs</button>`}<${Counts}/><span class="grow"></span>${narrow && html`<${Sort}/>`}
    <${Menu} label="Columns" kind="columns" button=${({ toggle, isOpen }) => html`<button type="button" class="btn ghost" aria-expanded=${isOpen} aria-haspopup="dialog" aria-label="Columns" title="Columns: those that vary, or your choice" onClick=${toggle}><${Icon} n="cols"/>${narrow ? '' : 'Columns'}</button>`}>${() => html`<${ColumnsMenu} isWide=${isWide}/>`}<//>
    ${!isReport && html`<button type="button" class="btn ghost" title=${`Save ${S.g ? 'all groups' : M.matched === 1 ? 'the run' : `all ${count(M.matched, 'run')}`} as CSV, with these columns`} aria-label="Export CSV" onClick=${() => exportCsv(isWide)}><${Icon} n="save"/></button>`}</div>`;
}

/** What the signs of groups mean. */
const SIGNS = () => `≈ within noise of the best · band: ${{ range: 'min to max', std: '± std', sem: '± std error' }[S.b]} of the runs · dashed: not all runs`;

/** What the foot says: how many are in charts, what signs mean, what could not be read. */
export class Foot extends Component {
  state = { isOpen: false };
  render(_, { isOpen }) {
    const { pending, problemCount: broken } = M;
    const all = M.groups ? M.groups.length : M.matched;
    const most = Math.min(all, 200);
    const isChosen = S.n !== '20' || S.o || S.h;
    const isCounted = M.isLoaded && (!M.groups || isChosen || M.shown.length < most);
    return html`<div class="foot">${isCounted && html`<span>${M.shown.length} of ${num(all)} in charts</span>${isChosen ? html`<button type="button" class="link" onClick=${() => go({ n: '20', o: '', h: '' })}>As at first</button>` : ''}${M.shown.length < most && html`<button type="button" class="link" onClick=${() => go({ n: String(most), o: '', h: '' })}>${most < all ? `Show ${most}` : 'Show all'}</button>`}`}
      ${M.groups && html`<span class="say" title=${SIGNS()}><abbr>≈</abbr> ${SIGNS().slice(2)}</span>`}
      <span class="grow"></span>${pending && html`<span class="rd">${pending.what || 'Reading'} ${num(pending.done)}${pending.total ? ` of ${num(pending.total)}` : ''}</span>`}
      ${M.failure && html`<span class="brk" role="alert"><${Icon} n="warn"/>${M.failure.message}</span>`}
      ${broken > 0 && html`<span class="brk"><${Icon} n="warn"/>${count(broken, 'run')} could not be read <button type="button" class="link" aria-expanded=${isOpen} onClick=${() => this.setState({ isOpen: !isOpen })}>${isOpen ? 'Hide' : 'Why'}</button></span>`}</div>
      ${isOpen && broken > 0 && html`<div class="notice" role="status"><b>${count(broken, 'run')} could not be read</b> and ${broken === 1 ? 'is' : 'are'} left out. The others are complete.<ul>${M.problems.map(problem => html`<li><code>${problem.path}</code> ${problem.what} ${problem.advice}</li>`)}</ul>${broken > M.problems.length ? html`<p>and ${broken - M.problems.length} more: <code>mini-mlflow check</code> lists them.</p>` : ''}</div>`}`;
  }
}

