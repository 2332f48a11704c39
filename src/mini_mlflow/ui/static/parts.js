// The small things that all views are made of: icons, status marks, swatches, keys as text.
import { html } from './vendor/preact.js';
import { cssColor } from './colors.js';
import { prefixEnd } from './format.js';

const MARKS = {
  RUNNING: html`<circle cx="7" cy="7" r="5" fill="none" stroke="currentColor" stroke-width="1.6"/><circle cx="7" cy="7" r="2.2" fill="currentColor"/>`,
  FINISHED: html`<path d="M2.6 7.4l3 3 5.8-6.4" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>`,
  FAILED: html`<path d="M3 3l8 8M11 3l-8 8" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
  KILLED: html`<rect x="2.5" y="2.5" width="9" height="9" rx="1.5" fill="currentColor"/>`,
  LOST: html`<circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.4 2.2"/>`,
};
const WORDS = { RUNNING: 'Running', FINISHED: 'Finished', FAILED: 'Failed', KILLED: 'Killed', LOST: 'Lost' };
const MEANINGS = { LOST: 'Lost: the process died without a word', KILLED: 'Killed: stopped from outside' };
export const STATUSES = Object.keys(WORDS);

/** The mark of a status, told apart by its shape; with its word where there is room. */
export function Mark({ s, word }) {
  const name = WORDS[s] || String(s);
  return html`<span class="mark ${WORDS[s] ? s : ''}" title=${MEANINGS[s] || name}><svg width="14" height="14" viewBox="0 0 14 14" role="img" aria-label=${name}>${MARKS[s]}</svg>${word && name}</span>`;
}

const PATHS = {
  search: 'M6.2 10.4a4.2 4.2 0 1 0 0-8.4 4.2 4.2 0 0 0 0 8.4ZM9.4 9.4l3.4 3.4', down: 'M3.5 5.5 7 9l3.5-3.5', right: 'M5.5 3.5 9 7l-3.5 3.5', x: 'M3.5 3.5l7 7M10.5 3.5l-7 7',
  eye: 'M1 7s2.2-4 6-4 6 4 6 4-2.2 4-6 4-6-4-6-4ZM7 8.7a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.4Z', cols: 'M2 2.5h10v9H2zM5.4 2.5v9M8.7 2.5v9', save: 'M7 2v6.5M4.2 6 7 8.8 9.8 6M2.5 11.5h9',
  full: 'M8.5 2.5h3v3M5.5 11.5h-3v-3M11.5 2.5 8 6M2.5 11.5 6 8', warn: 'M7 1.8 13 12H1L7 1.8ZM7 5.6v3M7 10.3v.2', file: 'M3.5 1.5h4.5l2.5 2.5v8.5h-7zM8 1.5V4h2.5', more: 'M3 7h.01M7 7h.01M11 7h.01',
  pin: 'M5 2h4l-.6 4 2.1 2H3.5l2.1-2L5 2ZM7 8v4.5', group: 'M2 3h4M2 7h4M2 11h4M9 3.5v7M9 7h3',
};
export const Icon = ({ n, s = 14 }) => html`<svg class="icon" width=${s} height=${s} viewBox="0 0 14 14" aria-hidden="true"><path d=${PATHS[n]} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** The legend key and the eye in one: filled means in charts. */
export const Swatch = ({ item, on, onClick, label }) => html`<button type="button" class="swatch ${on ? '' : 'off'}" tabindex="-1" style=${{ '--c': cssColor(item) }} onClick=${onClick} aria-pressed=${on}
  aria-label=${(on ? 'Hide ' : 'Show ') + label} title=${on ? 'Hide in charts (e), Alt: only this' : 'Show in charts (e), Alt: only this'}><i></i><${Icon} n="eye"/></button>`;

export const Dot = ({ item }) => html`<i class="dot" style=${{ '--c': cssColor(item) }}></i>`;

/** A key with its prefix in grey. */
export function Key({ k }) {
  const end = prefixEnd(k);
  return html`<span class="say" title=${k}><span class="pre">${k.slice(0, end)}</span>${k.slice(end)}</span>`;
}
export const Brand = () => html`<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><rect width="18" height="18" rx="4" fill="var(--accent)"/><path d="M3.5 4.5c1.5 6 4 8 11 8.5" fill="none" stroke="var(--on-accent)" stroke-width="1.8" stroke-linecap="round"/><path d="M3.5 9.5c2 3.6 5 3.6 11 .4" fill="none" stroke="var(--on-accent)" stroke-width="1.8" stroke-linecap="round" opacity=".65"/></svg>`;
