// What does one row of the table show, and what happens on it?
import { html } from './vendor/preact.js';
import { S, go, split } from './address.js';
import { M, isShown, isReadOnly } from './model.js';
import { hover } from './hover.js';
import { brief, count, num, logged } from './format.js';
import { Icon, Mark, Swatch, STATUSES } from './parts.js';
import { Rename, RowMenu, toggleShown, toggleSelected, togglePinned } from './rowactions.js';
import { inside } from './brushes.js';

/** The text of a member of a group: what the group leaves out, then the name. */
const memberName = (row, over) => over.map(key => {
  const at = M.columns.findIndex(column => column.kind === 'params' && column.key === key);
  return at < 0 || row.cells[at] === null ? '' : `${key} ${logged(row.cells[at])}`;
}).filter(Boolean).join(' · ');

/** A cell of a run. */
function Cell({ row, column, text, isSorted, isBest }) {
  const value = column.of(row);
  const isNaN = column.kind === 'metrics' && column.key === M.sortedMetric && row.nan !== null && row.nan !== undefined;
  return html`<td class="num ${isSorted ? 'sorted' : ''} ${isBest ? 'best' : ''} ${column.kind === 'metrics' && typeof value === 'number' && !Number.isFinite(value) ? 'odd' : ''}" role="gridcell" title=${isNaN ? `NaN from step ${num(row.nan)}` : column.title ? column.title(value) : column.kind === 'params' || column.kind === 'tags' ? logged(value) : undefined}>
    ${column.kind === 'metrics' || column.kind === 'own' ? text(value) : html`<span class="say">${text(value)}</span>`}${isNaN && (value === null || Number.isFinite(value)) && html`<sup title="NaN from step ${num(row.nan)}">NaN</sup>`}</td>`;
}

const click = row => event => {
  if (event.target.closest('button, input, a, .menu')) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) toggleSelected(row, event.shiftKey);
  else go({ r: row.short });
};

/** One run. */
export function Row({ row, columns, texts, bests, sorted, view, at, pin, over }) {
  const isOn = isShown(row);
  const isSelected = view.selected.has(row.short);
  const isOpen = S.r === row.short || (S.r.length > 5 && row.id.startsWith(S.r));
  const kind = [isSelected && 'sel', isOpen && 'open', over && 'sub', !isOn && !over && 'dim', inside(row) ? '' : 'beyond', pin !== undefined && 'pinned', view.pins - 1 === pin && 'last-pin'].filter(Boolean).join(' ');
  const member = over && memberName(row, over);
  const actions = html`<span class="rowacts"><button type="button" tabindex="-1" aria-label="Pin ${row.name}" title=${pin === undefined ? 'Pin to the top (p)' : 'Unpin (p)'} onClick=${() => togglePinned(row)}><${Icon} n="pin" s=13/></button><${RowMenu} row=${row}/></span>`;
  return html`<tr role="row" data-id=${row.ref} data-short=${row.short} tabindex=${view.focus === row.ref ? 0 : -1} class=${kind} style=${pin === undefined ? {} : { '--pin': pin }} aria-selected=${isSelected} aria-rowindex=${at + 2}
    onMouseEnter=${() => hover(row.ref)} onMouseLeave=${() => hover(null)} onFocus=${event => { if (event.target === event.currentTarget) { hover(row.ref); view.focused(row.ref); } }} onClick=${click(row)} onDblClick=${event => event.target.closest(".c-name") && !isReadOnly() && view.rename(row)}>
    <td class="c-sel" role="gridcell"><input type="checkbox" tabindex="-1" checked=${isSelected} onClick=${event => { event.stopPropagation(); toggleSelected(row, event.shiftKey); }} aria-label="Select ${row.name}"/></td>
    <td class="c-sw" role="gridcell">${!over && html`<${Swatch} item=${row} on=${isOn} label=${row.name} onClick=${event => toggleShown(row, event.altKey)}/>`}</td>
    <td class="c-name" role="gridcell">${view.renaming === row.ref ? html`<${Rename} row=${row} done=${() => view.rename(null)}/>`
      : html`<span class="name-line" title=${`${row.name}\n${row.id}`}>${member && html`<span class="pk say">${member}</span><span class="sep">·</span>`}<bdi class="say">${row.name}</bdi>${view.isTwin(row) && html`<code class="pk">${row.id.slice(0, 6)}</code>`}${Object.entries(row.tags).slice(0, 3).map(([key, value]) => html`<em class="tag say">${value === '' || value === 'true' ? key : `${key} ${value}`}</em>`)}</span>`}</td>
    <td class="c-st" role="gridcell">${M.gone.has(row.ref) ? html`<em class="flag" title="Its folder vanished">gone</em>` : html`<${Mark} s=${row.status}/>`}</td>
    ${columns.map((column, i) => html`<${Cell} row=${row} column=${column} text=${texts[i]} isSorted=${column.order && column.order === sorted} isBest=${bests[i] !== undefined && bests[i] === column.of(row)}/>`)}
    <td class="c-act" role="gridcell">${actions}</td></tr>`;
}

/** One group of runs that are equal but for what the group leaves out. */
export function GroupRow({ group, columns, texts, sorted, view, at, isOpen, isBest }) {
  const others = STATUSES.filter(status => status !== 'FINISHED' && group.statuses[status]);
  return html`<tr role="row" class="grp ${isShown(group) ? '' : 'dim'}" data-id=${group.ref} data-group=${group.id} tabindex=${view.focus === group.ref ? 0 : -1} aria-expanded=${isOpen} aria-rowindex=${at + 2}
    onMouseEnter=${() => hover(group.ref)} onMouseLeave=${() => hover(null)} onFocus=${event => { if (event.target === event.currentTarget) { hover(group.ref); view.focused(group.ref); } }}
    onClick=${event => { if (!event.target.closest('.swatch')) view.openGroup(group); }}>
    <td class="c-sel" role="gridcell"><button type="button" tabindex="-1" class="caret ${isOpen ? 'down' : ''}" aria-label="${isOpen ? 'Hide' : 'Show'} the runs of ${group.label}"><${Icon} n="right" s=12/></button></td>
    <td class="c-sw" role="gridcell"><${Swatch} item=${group} on=${isShown(group)} label=${group.label} onClick=${event => toggleShown(group, event.altKey)}/></td>
    <td class="c-name" role="gridcell"><span class="name-line" title=${group.label}><bdi class="say">${group.by.map(([key, value], i) => html`${i ? html`<span class="sep"> · </span>` : ''}<span class="pk">${key}</span> ${value === null ? '–' : logged(value)}`)}</bdi><span class="n">n=${group.n}</span></span></td>
    <td class="c-st" role="gridcell" title=${others.map(status => `${group.statuses[status]} ${status.toLowerCase()}`).join(', ') || undefined}>${others.slice(0, 1).map(status => html`<${Mark} s=${status}/> ${group.statuses[status]}`)}</td>
    ${columns.map((column, i) => html`<td role="gridcell" class="num ${column.order === sorted ? 'sorted' : ''} ${isBest && column.order === sorted ? 'best' : ''}">${groupCell(group, column, texts[i], column.order === sorted)}</td>`)}<td class="c-act"></td></tr>`;
}

/** A spread has the decimals of its mean; one too small for them two digits. */
const spread = (text, value) => (/e/.test(text(value)) ? num(value, 2) : text(value));

/** What a group comes to in a column: the mean, its spread, and of how many runs where not of all. */
export function groupCell(group, column, text, isSorted) {
  const stat = group.stats[column.at];
  if (!stat) return '';
  if ('same' in stat) return stat.same === null ? '' : brief(stat.same);
  const { count: behind } = stat;
  if (!behind) return typeof stat.soFar === 'number' ? html`<span class="so-far" title="So far: no run of this group has finished">${text(stat.soFar)}</span>` : '';
  return html`${isSorted && stat.isNoise && html`<abbr title="Within noise of the best: Welch's t, p > 0.05">≈</abbr> `}${text(stat.mean)}${behind > 1 && html` <small>±${spread(text, stat.std)}</small>`}${behind < group.n && html` <small class="of" title=${`The mean of ${behind} of ${count(group.n, 'run')}: the ${group.n - behind === 1 ? 'other has' : 'others have'} not finished, or no finite value at the end`}>${behind}/${group.n}</small>`}`;
}

/** The set of selected runs, by their short ids. */
export const selection = () => new Set(split(S.d));
