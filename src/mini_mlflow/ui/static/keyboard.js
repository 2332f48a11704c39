// What does a key do? Everything that the pointer can do has one.
import { S, go } from './address.js';
import { isReport } from './boot.js';
import { M, find, isReadOnly } from './model.js';
import { currentCard, flipLog } from './card.js';
import { leave } from './pointing.js';
import { opened } from './menu.js';
import { renaming, togglePinned, toggleSelected, toggleShown } from './rowactions.js';
import { nextRun } from './runpage.js';
import { sortBy, sorting, tableColumns } from './columns.js';
import { undoLast } from './undo.js';
import { VIEWS } from './rightbar.js';

const SERVED = new Set(['F2', '/', 'g', 'u']); // keys that need a server
/** What `?` shows. */
export const KEYS = [
  ['j k', 'next, previous run'], ['Enter', 'open the run'], ['x', 'select'], ['e', 'show or hide in charts'], ['p', 'pin to the top'], ['c', 'compare the selected'], ['F2', 'rename'], ['/', 'filter'], ['g', 'group'],
  ['s', 'sort by the next column'], ['1 2 3', 'Charts, Explore, Compare'], ['[ ]', 'narrower, wider table'], ['f', 'chart full screen'], ['l', 'log y of the chart'], ['0', 'zoom out'], ['u', 'undo'],
  ['← →', 'cursor of the chart, Shift: 10 steps'], ['Esc', 'one step back'], ['?', 'this list'],
].filter(([key]) => !isReport || !SERVED.has(key));

/** The row or group that has the focus, else the run that is open. */
function current() {
  const line = document.activeElement?.closest?.('tr[data-id]');
  if (line) return M.byRef.get(line.dataset.id) || M.groups?.find(group => group.ref === line.dataset.id) || null;
  return S.r ? find(S.r) : null;
}

function sortByNext(isWide) {
  const columns = tableColumns(isWide).filter(column => column.order);
  const at = columns.findIndex(column => column.order === sorting().name);
  if (columns.length) sortBy(columns[(at + 1) % columns.length]);
}

/** One step back: what was opened last is closed first. */
function back(app) {
  if (opened.close) opened.close();
  else if (app.state.isHelped) app.setState({ isHelped: false });
  else if (S.f) go({ f: '' });
  else if (S.r) go({ r: '' });
  else if (S.d) go({ d: '' });
  else if (S.z) go({ z: '' });
  else if (S.v !== 'charts') go({ v: 'charts' });
  leave();
}

/** Make the page answer to keys. */
export function listenToKeys(app) {
  addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches?.('input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable]');
    if (isTyping) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    if (act(event.key, app)) event.preventDefault();
  });
}

function act(key, app) {
  const item = current();
  const isRow = item && !item.runs;
  if (isReport && SERVED.has(key)) return false;
  switch (key) {
    case '/': document.getElementById('filter')?.focus(); return true;
    case '?': app.setState({ isHelped: !app.state.isHelped }); return true;
    case 'Escape': back(app); return true;
    case 'j': case 'k':
      if (!S.r) app.table?.step(key === 'j' ? 1 : -1);
      else if (nextRun(key === 'j' ? 1 : -1)) app.table?.reveal(S.r);
      return true;
    case 'Enter':
      if (document.activeElement?.matches?.('button, a, input, [role=tab]')) return false;
      if (isRow) go({ r: item.short });
      else if (item) app.table?.openGroup(item);
      return Boolean(item);
    case 'x': if (isRow) toggleSelected(item); return Boolean(isRow);
    case 'e': if (item) toggleShown(item); return Boolean(item);
    case 'p': if (isRow) togglePinned(item); return Boolean(isRow);
    case 'F2': if (isRow && !isReadOnly()) ((item === find(S.r) && renaming.open) || renaming.start)?.(item); return Boolean(isRow);
    case 'c': go({ v: 'compare', r: '' }); return true;
    case 'g': document.getElementById('group')?.click(); return true;
    case 's': sortByNext(app.state.width >= 1920); return true;
    case '1': case '2': case '3': go({ v: VIEWS[key - 1][0], r: '' }); return true;
    case '[': case ']': go({ w: String(Math.max(20, Math.min(70, Number(S.w) + (key === ']' ? 5 : -5)))) }, true); return true;
    case 'f': { const card = currentCard(); if (S.f) go({ f: '' }); else if (card) go({ f: card.props.metric }); return Boolean(S.f || card); }
    case 'l': { const card = currentCard(); if (card) flipLog(card.props.metric); return Boolean(card); }
    case '0': go({ z: '' }); return true;
    case 'u': undoLast(); return true;
    default: return false;
  }
}

