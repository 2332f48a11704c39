// What does the address bar hold? The whole view, after "#", and only what differs from the default.
import { boot, isReport } from './boot.js';

const WORDS = (...words) => text => words.includes(text);
const NUMBER = (least, most) => text => /^\d{1,4}(\.\d{1,2})?$/.test(text) && text >= least && text <= most;
const ANY = () => true;
const PAIR = text => /^-?[\d.]+(e[+-]?\d+)?,-?[\d.]+(e[+-]?\d+)?$/i.test(text);
const MOST = 60000; // characters: beyond it no view of ours is meant

/** The store that the page begins with: of the server's choice, the experiment with the newest run of all stores. */
const STORE = /^\d{1,3}(?=\/)/.exec(boot?.view?.experiments?.[0] ?? '')?.[0] ?? '0';

/** Every key with its default and with what it takes; SPEC.md, section 10. */
const KEYS = {
  i: [STORE, text => /^\d{1,3}$/.test(text)], // store
  e: ['', ANY], // experiments
  y: ['active', WORDS('deleted')], // stage: runs, or the deleted ones
  q: ['', ANY], // filter
  g: ['', ANY], // group: "auto" or params
  b: ['range', WORDS('range', 'std', 'sem')], // band
  s: ['', ANY], // sort: a column, "-" for downwards
  c: ['', ANY], // columns
  h: ['', ANY], // hidden by hand
  o: ['', ANY], // shown by hand
  n: ['20', NUMBER(0, 2000)], // how many go into charts
  p: ['', ANY], // pinned
  k: ['', ANY], // colours by hand: id:slot
  x: ['step', ANY], // x axis
  m: ['2', NUMBER(0, 50)], // smoothing, percent
  l: ['', ANY], // charts whose log axis is flipped
  u: ['', WORDS('1')], // outliers are not clipped
  z: ['', PAIR], // zoom
  f: ['', ANY], // chart that fills the screen
  v: ['charts', WORDS('charts', 'explore', 'compare')], // view
  r: ['', ANY], // run that is open
  d: ['', ANY], // selected
  a: ['', ANY], // axes and brushes
  w: ['44', NUMBER(20, 70)], // split, percent
  t: [boot?.theme ?? '', WORDS('light', 'dark')], // theme, where forced
};
/** What a report has one of alone: one store, one set of runs, steps as the x axis; the others need a server. */
const FIXED = isReport ? ['i', 'e', 'y', 'q', 'g', 'b', 'x'] : [];
const NAMES = Object.keys(KEYS).filter(name => !FIXED.includes(name));

/** In a notebook's cell the page stands within another, and has no address of its own. */
const hasAddress = location.protocol !== 'about:';

/** What a key is when the address does not name it. */
export const plainOf = name => KEYS[name][0];

/** The view: one text per key. Read it anywhere, change it through go(). */
export const S = Object.create(null);
const watchers = new Set();

/** Call *watcher* after each change of the view; returns what ends that. */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const plain = text => encodeURIComponent(text).replace(/%(2F|2C|3A|3C|3E|3D|40|28|29|60)/gi, decodeURIComponent).replace(/%20/g, '+');

function unplain(text) {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return '';
  }
}

/** The view that a hash means; anything that is none of ours is left out. */
export function parse(hash) {
  const view = Object.create(null);
  for (const name of Object.keys(KEYS)) view[name] = KEYS[name][0];
  if (hash.length > MOST) return view;
  for (const part of hash.replace(/^#/, '').split('&')) {
    const at = part.indexOf('=');
    const name = part.slice(0, at);
    if (at !== 1 || !NAMES.includes(name)) continue;
    const value = unplain(part.slice(2));
    if (KEYS[name][1](value)) view[name] = value;
  }
  if (view.e && !FIXED.includes('i') && !/(^#?|&)i=/.test(hash)) view.i = '0'; // experiments are of the store that is named, or the only one
  return view;
}

/** The hash of a view, '#' alone for the default one. */
export function render(view) {
  const isNamed = name => view[name] !== KEYS[name][0] || (name === 'i' && view.e && boot?.stores?.length > 1);
  const parts = NAMES.filter(isNamed).map(name => `${name}=${plain(view[name])}`);
  return `#${parts.join('&')}`;
}

/**
 * Change the view.
 * @param {Object<string, string>} change texts by key
 * @param {boolean} [replace] true for typing, sliders and drags: they leave no step to go back to
 */
export function go(change, replace = false) {
  const before = render(S);
  for (const name of Object.keys(change)) if (NAMES.includes(name)) S[name] = String(change[name] ?? '');
  const hash = render(S);
  if (hash !== before && hasAddress) history[replace ? 'replaceState' : 'pushState'](null, '', hash === '#' ? location.pathname + location.search : hash);
  watchers.forEach(watcher => watcher(change));
}

/** Take one part of a list out of, or into, what the list in *text* holds. */
const quoted = item => item.replace(/[%,]/g, encodeURIComponent);
export const split = text => (text ? text.split(',').map(item => { try { return decodeURIComponent(item); } catch { return item; } }) : []);
export const join = items => [...items].map(quoted).join(',');

/** The list under *name* with *item* in it or not, as text for go(). */
export function toggled(name, item, isIn) {
  const items = new Set(split(S[name]));
  if (isIn ?? !items.has(item)) items.add(item);
  else items.delete(item);
  return join(items);
}

function reread() {
  Object.assign(S, parse(location.hash));
  watchers.forEach(watcher => watcher(null));
}

Object.assign(S, parse(location.hash));
addEventListener('popstate', reread);
addEventListener('hashchange', () => { if (render(S) !== (location.hash || '#')) reread(); });
