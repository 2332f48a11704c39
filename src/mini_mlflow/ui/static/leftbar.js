// The bar above the table: how many runs, in which state, and what can be done to those that are selected.
import { html, Component } from './vendor/preact.js';
import { S, go, split } from './address.js';
import { M, isReadOnly, findAll, scope } from './model.js';
import { isReport } from './boot.js';
import { askBlob } from './server.js';
import { count } from './format.js';
import { Icon, Mark, STATUSES } from './parts.js';
import { Menu, Option, Action } from './menu.js';
import { hideThese, onlyThese, remove, restore, tag, TagField } from './rowactions.js';
import { kindName, OWN_NAMES, tableColumns, toggleColumn } from './columns.js';
import { save } from './saving.js';
import { say } from './undo.js';

/** Counts of statuses; a click shows only these. */
function Counts() {
  if (isReport) return html`<div class="counts">${STATUSES.filter(status => M.statuses[status]).map(status => html`<span key=${status} class="chip" title=${`${count(M.statuses[status], 'run')} ${status.toLowerCase()}`}><${Mark} s=${status}/>${M.statuses[status].toLocaleString('en-US')}</span>`)}</div>`;
  const only = status => `status = '${status}'`;
  const others = S.q.split(/\s+and\s+/i).filter(part => !/^status = '\w+'$/.test(part.trim())).filter(Boolean);
  return html`<div class="counts">${STATUSES.filter(status => M.statuses[status]).map(status => { const isOn = S.q.includes(only(status)); return html`<button key=${status} type="button" class="chip" aria-pressed=${isOn}
    aria-label="${count(M.statuses[status], 'run')} ${status.toLowerCase()}: ${isOn ? 'show all again' : 'show only these'}" title=${isOn ? 'Show all again' : `Only ${status.toLowerCase()}`} onClick=${() => go({ q: [...others, ...(isOn ? [] : [only(status)])].join(' and ') })}><${Mark} s=${status}/>${M.statuses[status].toLocaleString('en-US')}</button>`; })}</div>`;
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

async function exportCsv() {
  try {
    const body = { experiments: scope(), filter: S.q, stage: M.stage, order: M.order, columns: null, group: null, picks: [], is_raw: false };
    save(await askBlob('api/csv', body), 'runs.csv');
  } catch (error) {
    say(`The table was not saved: ${error.message}`);
  }
}

/** What can be done to the selected runs. */
function SelectionBar() {
  const rows = findAll('d');
  const many = split(S.d).length;
  const isDeleted = M.stage === 'deleted';
  return html`<span class="selbar"><b>${many} selected</b>
    ${!isDeleted && html`<button type="button" class="btn sm prime" disabled=${many < 2} title="Compare (c)" onClick=${() => go({ v: 'compare', r: '' })}>Compare</button>
    <button type="button" class="btn sm" onClick=${() => onlyThese(rows)}>Only these</button><button type="button" class="btn sm" onClick=${() => hideThese(rows)}>Hide</button>`}
    ${!isReadOnly() && !isDeleted && html`<${Menu} label="Tag" button=${({ toggle }) => html`<button type="button" class="btn sm" onClick=${toggle}>Tag</button>`}>${close => html`<h3>Tag ${count(rows.length, 'run')}</h3><${TagField} onDone=${text => { close(); if (text) tag(rows, text); }}/><p class="hint">Enter adds it: team=vision, or one word.</p>`}<//>
    <button type="button" class="btn sm" onClick=${() => remove(rows)}>Delete</button>`}
    ${!isReadOnly() && isDeleted && html`<button type="button" class="btn sm prime" onClick=${() => restore(rows)}>Restore</button>`}
    <span class="grow"></span><button type="button" class="btn sm ghost" aria-label="Clear selection" title="Clear selection" onClick=${() => go({ d: '' })}><${Icon} n="x" s=12/></button></span>`;
}

export function LeftBar({ narrow, isWide }) {
  if (S.d) return html`<div class="bar"><${SelectionBar}/></div>`;
  const title = M.stage === 'deleted' ? `${count(M.matched, 'deleted run')}` : M.groups ? count(M.groups.length, 'group') : count(M.matched, 'run');
  return html`<div class="bar"><b class="total" title=${S.q ? `${count(M.matched, 'run')} of ${M.total}` : ''}>${title}</b><${Counts}/><span class="grow"></span>
    <${Menu} label="Columns" kind="columns" button=${({ toggle, isOpen }) => html`<button type="button" class="btn ghost" aria-expanded=${isOpen} aria-haspopup="dialog" aria-label="Columns" title="Columns: those that vary, or your choice" onClick=${toggle}><${Icon} n="cols"/>${narrow ? '' : 'Columns'}</button>`}>${() => html`<${ColumnsMenu} isWide=${isWide}/>`}<//>
    ${!isReport && html`<button type="button" class="btn ghost" title="Export all rows as CSV" aria-label="Export CSV" onClick=${exportCsv}><${Icon} n="save"/></button>`}</div>`;
}

/** What the foot says: how many are in charts, what signs mean, what could not be read. */
export class Foot extends Component {
  state = { isOpen: false };
  render(_, { isOpen }) {
    const { pending, problemCount: broken } = M;
    const all = M.groups ? M.groups.length : M.matched;
    const most = Math.min(all, 200);
    return html`<div class="foot">${M.groups ? html`<span><abbr>≈</abbr> within noise of the best · band: ${{ range: 'min to max', std: '± std', sem: '± std error' }[S.b]} of the runs · dashed: not all runs</span>`
      : html`<span>${M.shown.length} of ${all.toLocaleString('en-US')} in charts</span>${(S.n !== '20' || S.o || S.h) ? html`<button type="button" class="link" onClick=${() => go({ n: '20', o: '', h: '' })}>As at first</button>` : ''}${M.shown.length < most && html`<button type="button" class="link" onClick=${() => go({ n: String(most), o: '', h: '' })}>${most < all ? `Show ${most}` : 'Show all'}</button>`}`}
      <span class="grow"></span>${pending && html`<span class="rd">${pending.what || 'Reading'} ${pending.done.toLocaleString('en-US')}${pending.total ? ` of ${pending.total.toLocaleString('en-US')}` : ''}</span>`}
      ${M.failure && html`<span class="brk" role="alert"><${Icon} n="warn"/>${M.failure.message}</span>`}
      ${broken > 0 && html`<span class="brk"><${Icon} n="warn"/>${count(broken, 'run')} could not be read <button type="button" class="link" aria-expanded=${isOpen} onClick=${() => this.setState({ isOpen: !isOpen })}>${isOpen ? 'Hide' : 'Why'}</button></span>`}</div>
      ${isOpen && broken > 0 && html`<div class="notice" role="status"><b>${count(broken, 'run')} could not be read</b> and ${broken === 1 ? 'is' : 'are'} left out. The others are complete.<ul>${M.problems.map(problem => html`<li><code>${problem.path}</code> ${problem.what} ${problem.advice}</li>`)}</ul>${broken > M.problems.length ? html`<p>and ${broken - M.problems.length} more: <code>mini-mlflow check</code> lists them.</p>` : ''}</div>`}`;
  }
}

