// What can be done to runs: show, select, pin, colour, rename, tag, note, delete, restore?
import { html, Component } from './vendor/preact.js';
import { S, go, split, join, toggled } from './address.js';
import { M, changed, find, isReadOnly, isShown, load } from './model.js';
import { ask } from './server.js';
import { SLOTS, slotOf } from './colors.js';
import { say } from './undo.js';
import { Icon } from './parts.js';
import { Menu, Action } from './menu.js';
import { count } from './format.js';

/** Show or hide a run, or group, in the charts; with *only* nothing else is shown. */
export function toggleShown(item, only = false) {
  if (only) {
    const isAlone = M.shown.length === 1 && M.shown[0].ref === item.ref;
    go(isAlone ? { n: '20', o: '', h: '' } : { n: '0', o: join([item.short]), h: '' });
  } else if (isShown(item)) {
    go({ h: toggled('h', item.short, !M.first.length || M.first.includes(item.ref) || Boolean(item.runs)), o: toggled('o', item.short, false) });
  } else {
    go({ h: toggled('h', item.short, false), o: M.first.includes(item.ref) ? S.o : toggled('o', item.short, true) });
  }
}

let anchor = null;
/** Select a run or not; with *isRange* all from the one that was selected before. */
export function toggleSelected(row, isRange = false) {
  const chosen = new Set(split(S.d));
  const from = M.rows.findIndex(each => each?.ref === anchor);
  const to = M.rows.findIndex(each => each?.ref === row.ref);
  if (isRange && from >= 0 && to >= 0) {
    for (const each of M.rows.slice(Math.min(from, to), Math.max(from, to) + 1)) if (each) chosen.add(each.short);
  } else if (chosen.has(row.short)) {
    chosen.delete(row.short);
  } else {
    chosen.add(row.short);
  }
  anchor = row.ref;
  go({ d: join(chosen) });
}

export const togglePinned = row => go({ p: toggled('p', row.short) });
/** Show these runs in charts, and no others. */
export const onlyThese = rows => go({ n: '0', o: join(rows.map(row => row.short)), h: '' });
export const hideThese = rows => go({ h: join(new Set([...split(S.h), ...rows.map(row => row.short)])), o: join(split(S.o).filter(id => !rows.some(row => row.short === id))) });

function setColor(row, slot) {
  const others = split(S.k).filter(item => !item.startsWith(`${row.short}:`));
  go({ k: join(slot === null ? others : [...others, `${row.short}:${slot + 1}`]) });
}

const editWatchers = new Set();
/** Call *watcher* with the refs of runs whose name, note or tags were changed here, or changed back. */
export function watchEdits(watcher) {
  editWatchers.add(watcher);
  return () => editWatchers.delete(watcher);
}

/** Show runs as they are after a change. */
async function reread(refs) {
  editWatchers.forEach(watcher => watcher(refs));
  await load({ isLive: true });
  changed();
}

/** Change one run's name, note or tags, and offer to take it back. */
export async function edit(row, change, text, back) {
  const make = async to => { await ask('api/edit', { run: row.ref, ...to }); };
  try {
    await make(change);
    say(text, row.name, back && (async () => { await make(back); await reread([row.ref]); }));
  } catch (error) {
    say(`Not changed: ${error.message}`);
  }
  await reread([row.ref]);
}

export function rename(row, name) {
  const before = row.name;
  if (!name.trim() || name === before) return;
  row.name = name;
  changed();
  edit(row, { name }, 'Renamed', { name: before });
}

/** Give runs a tag: "team=vision", or one word. */
export async function tag(rows, text) {
  const at = text.indexOf('=');
  const key = (at < 0 ? text : text.slice(0, at)).trim();
  if (!key) return;
  const refs = rows.map(row => row.ref);
  const before = new Map(rows.map(row => [row.ref, row.tags?.[key]]));
  try {
    await ask('api/tag', { runs: refs, set_tags: { [key]: at < 0 ? '' : text.slice(at + 1).trim() }, delete_tags: [] });
    say(`Tagged ${count(rows.length, 'run')}`, key, async () => {
      const fresh = refs.filter(ref => before.get(ref) === undefined);
      if (fresh.length) await ask('api/tag', { runs: fresh, set_tags: {}, delete_tags: [key] });
      for (const ref of refs) if (before.get(ref) !== undefined) await ask('api/edit', { run: ref, set_tags: { [key]: before.get(ref) } });
      await reread(refs);
    });
  } catch (error) {
    say(`Not tagged: ${error.message}`);
  }
  await reread(refs);
}

/** Delete runs at once; they lie in the trash until they are taken back or cleaned up. */
export async function remove(rows) {
  if (!rows.length) return;
  try {
    const { done, failed } = await ask('api/delete', { runs: rows.map(row => row.ref) });
    const gone = new Set(done);
    const shorts = new Set(rows.filter(row => gone.has(row.ref)).map(row => row.short));
    if (failed?.length) say(`${count(failed.length, 'run')} not deleted: ${failed[0].message}`);
    if (done.length) {
      say('Deleted', done.length === 1 ? rows.find(row => gone.has(row.ref)).name : count(done.length, 'run'), async () => {
        await ask('api/restore', { runs: done });
        await load();
      });
    }
    go({ d: join(split(S.d).filter(id => !shorts.has(id))), r: shorts.has(S.r) ? '' : S.r }, true);
  } catch (error) {
    say(`Not deleted: ${error.message}`);
  }
  load();
}

export async function restore(rows) {
  try {
    const { done } = await ask('api/restore', { runs: rows.map(row => row.ref) });
    say('Restored', count(done.length, 'run'), async () => { await ask('api/delete', { runs: done }); await load(); });
    go({ d: '', r: '' }, true);
  } catch (error) {
    say(`Not restored: ${error.message}`);
  }
  load();
}

/** A name that is being edited in place: Enter saves, Esc leaves. */
export class Rename extends Component {
  componentDidMount() { this.input.focus(); this.input.select(); }
  finish(isKept) {
    if (this.isDone) return;
    this.isDone = true;
    if (isKept) rename(this.props.row, this.input.value);
    this.props.done();
  }
  render({ row }) {
    return html`<input class="text-input rename" aria-label="Name of the run" maxlength="500" spellcheck="false" defaultValue=${row.name} ref=${e => { if (e && !this.input) { this.input = e; e.value = row.name; } }}
      onClick=${event => event.stopPropagation()} onBlur=${() => this.finish(true)} onKeyDown=${event => {
        event.stopPropagation();
        if (event.key === 'Enter') this.finish(true);
        if (event.key === 'Escape') this.finish(false);
      }}/>`;
  }
}

/** A field for a tag, in a menu; where others stand above it, it does not take the focus, which opens a phone's keyboard. */
export class TagField extends Component {
  componentDidMount() { if (!this.props.isLater) this.input.focus(); }
  render({ onDone, label, isLater }) {
    return html`<input class="text-input search" data-first=${!isLater || undefined} placeholder="key=value" aria-label=${label || 'Tag'} spellcheck=${false} ref=${e => { this.input = e; }} onKeyDown=${event => {
      if (event.key === 'Enter' || event.key === 'Escape') {
        event.preventDefault(); // else Enter presses the button that the focus goes back to
        onDone(event.key === 'Enter' ? this.input.value : '');
      }
      if (event.key !== 'Tab') event.stopPropagation();
    }}/>`;
  }
}

/** The 20 colours, for a choice by hand. */
export const Palette = ({ row }) => html`<div class="palette" role="group" aria-label="Colour">${Array.from({ length: SLOTS }, (_, slot) => html`<button type="button" style=${{ '--c': `var(--run-${slot + 1})` }} aria-label="Colour ${slot + 1}" title="Colour ${slot + 1}" aria-pressed=${slotOf(row) === slot} onClick=${() => setColor(row, slot)}></button>`)}</div>
  ${split(S.k).some(item => item.startsWith(`${row.short}:`)) && html`<${Action} name="Colour as it was" onClick=${() => setColor(row, null)}/>`}`;

/** What can be done to one run. */
export const RowMenu = ({ row, onRename, isButton }) => html`<${Menu} label="More for ${row.name}" button=${({ toggle }) => html`<button type="button" class=${isButton ? 'btn ghost' : ''} tabindex=${isButton ? 0 : -1} aria-label="More for ${row.name}" title=${isReadOnly() ? 'Colour, show, copy the id' : 'Rename, tag, colour, delete'} onClick=${event => { event.stopPropagation(); toggle(event); }}><${Icon} n="more" s=13/></button>`}>
  ${close => html`<${Palette} row=${row}/>
    <${Action} name=${isShown(row) ? 'Hide in charts' : 'Show in charts'} note="e" onClick=${() => { close(); toggleShown(row); }}/>
    <${Action} name="Only this in charts" onClick=${() => { close(); toggleShown(row, true); }}/>
    <${Action} name=${split(S.d).includes(row.short) ? 'Take out of the selection' : 'Select, to compare'} note="x" onClick=${() => { close(); toggleSelected(row); }}/>
    <${Action} name="Copy id" onClick=${() => { close(); copy(row.id); }}/>
    ${!isReadOnly() && (S.y === 'deleted' ? html`<${Action} name="Restore" onClick=${() => { close(); restore([row]); }}/>` : html`
      <${Action} name="Rename" note="F2" onClick=${() => { close(); (onRename || renaming.start)?.(row); }}/>
      <h3>Add a tag</h3><${TagField} onDone=${text => { close(); if (text) tag([row], text); }}/>
      <${Action} kind="danger" name="Delete" onClick=${() => { close(); remove([row]); }}/>`)}`}<//>`;
/** The table puts here what starts the renaming of a row, and the run that is open what starts its own. */
export const renaming = { start: null, open: null };

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say('Copied', text);
  } catch {
    say('The browser does not let this page copy. The id:', text);
  }
}

/** The rows that are selected, in the order of the address. */
export const selectedRows = () => split(S.d).map(find).filter(Boolean);
