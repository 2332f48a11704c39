// The bar above the charts: which view, which x axis, how smooth, what is clipped, how far zoomed in.
import { html } from './vendor/preact.js';
import { S, go, split } from './address.js';
import { isReport } from './boot.js';
import { M } from './model.js';
import { Icon } from './parts.js';
import { Menu, Option } from './menu.js';
import { GroupMenu } from './topbar.js';
import { X_KINDS, xName, rangeText } from './axes.js';

export const VIEWS = [['charts', 'Charts'], ['explore', 'Explore'], ['compare', 'Compare']];

const XOptions = ({ close }) => html`${X_KINDS.map(([kind, name]) => html`<${Option} type="radio" on=${S.x === kind} name=${name} note=${kind === 'relative' ? 'since the start of each run' : ''} onChange=${() => { close(); go({ x: kind, z: '' }); }}/>`)}
  ${M.keys.metrics.length > 0 && html`<h3>A metric, rows of equal step joined</h3>`}${M.keys.metrics.slice(0, 200).map(({ key }) => html`<${Option} key=${key} type="radio" on=${S.x === `metrics.${key}`} name=${key} note="" onChange=${() => { close(); go({ x: `metrics.${key}`, z: '' }); }}/>`)}`;

const Smooth = () => html`<label class="slide" title="Exponential mean, in percent of the x axis"><span>Smooth</span><input type="range" min="0" max="20" step="0.5" value=${S.m} aria-label="Smooth, percent of the x axis" onInput=${event => go({ m: event.target.value }, true)}/><output>${S.m} %</output></label>`;
const Clip = () => html`<label class="chk" title="Let the frame follow most values; ▲ and ▼ mark lines that leave it"><input type="checkbox" checked=${!S.u} onChange=${event => go({ u: event.target.checked ? '' : '1' })}/>Clip outliers</label>`;
const Zoom = () => S.z && html`<button type="button" class="btn sm zoomed" title="Zoom out (0)" onClick=${() => go({ z: '' })}>${rangeText(S.x, S.z.split(',').map(Number))} ×</button>`;

export function RightBar({ narrow, find, onFind, isRunOpen }) {
  const many = split(S.d).length;
  const hasCurves = S.v !== 'explore' && !isRunOpen;
  return html`<div class="bar"><div class="tabs" role="tablist" aria-label="Views">${VIEWS.map(([view, name]) => { const isOn = S.v === view && !isRunOpen; return html`<button key=${view} type="button" role="tab" id="tab-${view}" aria-selected=${isOn} tabindex=${isOn || (isRunOpen && S.v === view) ? 0 : -1} onKeyDown=${tabKeys} onClick=${() => go({ v: view, ...(isRunOpen ? { r: '' } : {}) })}>${name}${view === 'compare' && many > 1 ? html` <b>${many}</b>` : ''}</button>`; })}</div>
    ${hasCurves && !narrow && html`<span class="vr"></span>
      ${!isReport && html`<${Menu} label="x axis" button=${({ toggle, isOpen }) => html`<button type="button" id="x-axis" class="btn ctl" aria-expanded=${isOpen} aria-haspopup="dialog" onClick=${toggle}><span>x</span><b>${xName(S.x)}</b><${Icon} n="down" s=12/></button>`}>${close => html`<${XOptions} close=${close}/>`}<//>`}
      <${Smooth}/><${Clip}/><${Zoom}/><span class="grow"></span>
      ${S.v === 'charts' && html`<label class="find" title="Find chart"><${Icon} n="search" s=13/><input type="text" placeholder="Find chart" aria-label="Find chart" value=${find} onInput=${event => onFind(event.target.value)} onKeyDown=${event => { if (event.key === 'Escape') { onFind(''); event.target.value = ''; event.target.blur(); event.stopPropagation(); } }}/></label>`}`}
    ${narrow && html`<span class="grow"></span><${Zoom}/>
      <${Menu} label="More" button=${({ toggle }) => html`<button type="button" class="btn ghost" aria-label="Group, x axis, smoothing, find chart" onClick=${toggle}><${Icon} n="more"/></button>`}>
        ${close => html`${!isReport && html`<h3>x axis</h3><${XOptions} close=${close}/>`}<h3>Curves</h3><div class="opt"><${Smooth}/></div><div class="opt"><${Clip}/></div>
          <div class="opt"><input class="text-input grow" placeholder="Find chart" aria-label="Find chart" value=${find} onInput=${event => onFind(event.target.value)}/></div>${!isReport && html`<h3>Group</h3><${GroupMenu} isPlain/>`}`}<//>`}
  </div>`;
}

/** Arrow keys move between the tabs. */
function tabKeys(event) {
  if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
  const at = VIEWS.findIndex(([view]) => view === S.v);
  const next = VIEWS[(at + (event.key === 'ArrowRight' ? 1 : -1) + VIEWS.length) % VIEWS.length][0];
  go({ v: next });
  document.getElementById(`tab-${next}`)?.focus();
  event.preventDefault();
}
