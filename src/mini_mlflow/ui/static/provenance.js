// Where does a run come from: command, code, machine, versions, uncommitted changes?
import { html, Component } from './vendor/preact.js';
import { ask, whenBack } from './server.js';
import { bytes, count, logged } from './format.js';

const WORDS = { git_commit: 'commit', git_branch: 'branch', git_dirty: 'uncommitted', git_remote: 'remote' };
const FIRST = ['command', 'entry', 'host', 'user', 'python', 'platform', 'cwd'];

/** A command line as it was typed, or any other value as text. */
export const commandText = value => (Array.isArray(value) ? value.map(part => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${String(part).replace(/'/g, "'\\''")}'`)).join(' ') : logged(value));

/** A diff with its lines coloured by their first sign. */
export function Diff({ text }) {
  const kind = line => (/^(\+\+\+|---|@@|diff |index )/.test(line) ? 'h' : line[0] === '+' ? 'a' : line[0] === '-' ? 'd' : '');
  return html`<pre class="diff inset" tabindex="0" aria-label="Uncommitted changes">${text.split('\n').slice(0, 4000).map(line => html`<span class=${kind(line)}>${line || ' '}${'\n'}</span>`)}</pre>`;
}

export class Provenance extends Component {
  state = { diff: null, isAll: false };
  componentDidMount() { this.fetch(); this.end = whenBack(() => { if (this.state.diff?.error) this.fetch(); }); }
  componentWillUnmount() { this.end(); }
  componentDidUpdate(before) { if (before.refOf !== this.props.refOf) { this.setState({ diff: null }); this.fetch(); } }
  async fetch() {
    const { run, refOf } = this.props;
    if (!run.has_diff) return;
    const diff = await ask(`api/diff?run=${encodeURIComponent(refOf)}`).catch(error => ({ text: '', error: error.message }));
    if (refOf === this.props.refOf) this.setState({ diff });
  }
  render({ run }, { diff, isAll }) {
    const known = run.provenance || {};
    const packages = known.packages && typeof known.packages === 'object' ? known.packages : null;
    const git = [known.git_commit && html`<code>${String(known.git_commit).slice(0, 7)}</code>`, known.git_branch && html` ${known.git_branch}`, known.git_dirty && known.git_dirty !== 'false' && html` <em class="flag warn">uncommitted changes</em>`].filter(Boolean);
    const rest = Object.keys(known).filter(key => !FIRST.includes(key) && !['git_commit', 'git_branch', 'git_dirty', 'packages', 'ended_by'].includes(key) && known[key] !== null && known[key] !== '').sort();
    const line = key => html`<div><dt>${WORDS[key] || key.replace(/_/g, ' ')}</dt><dd>${key === 'command' ? html`<code>${commandText(known[key])}</code>` : logged(known[key])}</dd></div>`;
    const lines = diff ? diff.text.split('\n') : [];
    const added = lines.filter(each => each[0] === '+' && !each.startsWith('+++')).length;
    const removed = lines.filter(each => each[0] === '-' && !each.startsWith('---')).length;
    return html`<section><h2>Provenance</h2><dl class="kv one">
      ${git.length > 0 && html`<div><dt>git</dt><dd>${git}</dd></div>`}${FIRST.filter(key => known[key]).map(line)}
      ${packages && html`<div><dt>packages</dt><dd><button type="button" class="link" aria-expanded=${isAll} onClick=${() => this.setState({ isAll: !isAll })}>${count(Object.keys(packages).length, 'package')}</button>${isAll && html`<pre class="text">${Object.entries(packages).map(([name, version]) => `${name} ${version}`).join('\n')}</pre>`}</dd></div>`}
      ${rest.map(line)}<div><dt>run id</dt><dd><code>${run.id}</code></dd></div>${run.resume_count > 0 && html`<div><dt>resumed</dt><dd>${count(run.resume_count, 'time')}</dd></div>`}</dl>
      ${diff && (diff.error ? html`<p class="dimt">${diff.error}</p>` : html`<h3>Uncommitted changes <small>+${added} −${removed}${diff.is_cut ? ` · the first part of ${bytes(diff.size_bytes)}` : ''}</small></h3><${Diff} text=${diff.text}/>`)}</section>`;
  }
}
