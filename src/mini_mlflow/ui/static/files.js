// Which files has a run, what is in them, and what did it print?
import { html, Component } from './vendor/preact.js';
import { ask, fileAddress, whenBack } from './server.js';
import { bytes, count } from './format.js';
import { Icon } from './parts.js';


/** The tree of a run's files, a folder at a time, with a preview beside it. */
export class Files extends Component {
  state = { folders: new Map(), open: new Set(), chosen: null, preview: null };
  componentDidMount() { this.list(''); this.end = whenBack(() => this.again()); }
  componentWillUnmount() { this.end(); }
  again() {
    const { folders, chosen, preview } = this.state;
    for (const [path, answer] of folders) if (answer.error) this.list(path);
    if (chosen && preview?.isMissed) this.show(chosen);
  }
  componentDidUpdate(before) { if (before.refOf !== this.props.refOf) this.setState({ folders: new Map(), open: new Set(), chosen: null, preview: null }, () => this.list('')); }

  async list(path) {
    const { refOf } = this.props;
    const answer = await ask(`api/files?run=${encodeURIComponent(refOf)}&path=${encodeURIComponent(path)}`).catch(error => ({ files: [], error: error.message }));
    if (refOf !== this.props.refOf) return;
    this.state.folders.set(path, answer);
    this.setState({});
    if (path !== '' && !this.state.chosen) {
      const inside = answer.files.find(file => /\.(png|jpe?g|gif|webp)$/i.test(file.name));
      if (inside) this.show(inside);
    }
    if (path === '' && !this.state.chosen) {
      const folders = answer.files.filter(file => file.is_dir).slice(0, 3);
      if (answer.files.length < 40) for (const folder of folders) this.toggle(folder.path);
      const image = answer.files.find(file => /\.(png|jpe?g|gif|webp)$/i.test(file.name));
      if (image) this.show(image);
    }
  }

  async show(file) {
    const { refOf } = this.props;
    this.setState({ chosen: file, preview: null });
    const preview = await ask(`api/preview?run=${encodeURIComponent(refOf)}&path=${encodeURIComponent(file.path)}`).catch(error => ({ kind: 'none', reason: error.message, isMissed: true }));
    if (this.state.chosen === file && refOf === this.props.refOf) this.setState({ preview });
  }

  toggle(path) {
    const { open, folders } = this.state;
    if (open.has(path)) open.delete(path);
    else open.add(path);
    if (!folders.has(path)) this.list(path);
    this.setState({});
  }

  lines(path, deep) {
    const { folders, open, chosen } = this.state;
    return (folders.get(path)?.files || []).flatMap(file => [html`<li key=${file.path} class=${file.is_dir ? 'dir' : ''}><button type="button" style=${{ '--deep': deep }} aria-expanded=${file.is_dir ? open.has(file.path) : undefined} aria-pressed=${file.is_dir ? undefined : chosen?.path === file.path} onClick=${() => (file.is_dir ? this.toggle(file.path) : this.show(file))}><bdi class="say" title=${file.path}>${file.name}${file.is_dir ? '/' : ''}</bdi><small>${file.is_dir ? '' : bytes(file.size_bytes)}</small></button></li>`,
      ...(file.is_dir && open.has(file.path) ? this.lines(file.path, deep + 1) : [])]);
  }

  render({ refOf }, { folders, chosen, preview }) {
    const root = folders.get('');
    const folded = (root?.files || []).filter(file => file.is_dir).length;
    const size = (root?.files || []).reduce((sum, file) => sum + (file.size_bytes || 0), 0);
    const told = folded ? [root.files.length - folded, count(folded, 'folder')] : [String(root?.files.length), size && bytes(size)];
    return html`<h2>Files ${root && html`<small>${told.filter(Boolean).join(' · ')}</small>`}</h2>
      ${root?.error && html`<p class="dimt">${root.error}</p>`}${root && !root.error && !root.files.length && html`<p class="dimt">None logged</p>`}
      ${root?.files.length > 0 && html`<div class="files ${chosen ? '' : 'alone'}"><ul aria-label="Files">${this.lines('', 0)}${root.is_cut && html`<li class="dimt">and more</li>`}</ul>${chosen && html`<${Preview} refOf=${refOf} file=${chosen} preview=${preview}/>`}</div>`}`;
  }
}

function Preview({ refOf, file, preview }) {
  const kind = preview?.kind;
  return html`<div class="preview"><div class="ph"><bdi class="say">${file.name}</bdi><small>${kind === 'image' && preview.width ? `${preview.width} × ${preview.height}` : bytes(file.size_bytes)}</small><a href=${fileAddress(refOf, file.path, true)} download aria-label="Download ${file.name}" title="Download"><${Icon} n="save"/></a></div>
    ${kind === 'image' && html`<img src=${fileAddress(refOf, file.path)} alt="Preview of ${file.name}" loading="lazy"/>`}
    ${kind === 'text' && html`<pre class="text inset" tabindex="0">${preview.text}${preview.is_cut ? '\n…' : ''}</pre>`}
    ${kind === 'table' && html`<div class="grid-view"><table><thead><tr>${preview.columns.map(name => html`<th>${String(name)}</th>`)}</tr></thead><tbody>${preview.rows.map(row => html`<tr>${row.map(cell => html`<td>${cell === null ? '' : String(cell)}</td>`)}</tr>`)}</tbody></table></div>${preview.is_cut && html`<p class="why">The first ${count(preview.rows.length, 'row')}</p>`}`}
    ${kind === 'none' && html`<p class="why">${preview.reason || 'No preview for this kind of file.'}</p>`}</div>`;
}

const KEPT = 60000; // characters of a console that stay in the page

/** The end of what a run printed; of a running one as it grows. */
export class Console extends Component {
  state = { path: null, text: '', end: 0, size: 0, error: null, isCut: false };
  componentDidMount() { this.start(); this.timer = setInterval(() => { if (this.props.isLive && !document.hidden) this.more(); }, 2000); }
  componentDidUpdate(before) {
    if (before.refOf !== this.props.refOf || before.run.console[0] !== this.props.run.console[0]) this.start();
    if (this.box && this.isAtEnd) this.box.scrollTop = this.box.scrollHeight;
  }
  componentWillUnmount() { clearInterval(this.timer); }

  start() {
    const [path] = this.props.run.console || [];
    this.isAtEnd = true;
    this.setState({ path: path ?? null, text: '', end: 0, error: null });
    if (path !== undefined) this.more(path, 0);
  }

  async more(path = this.state.path, from = this.state.end) {
    if (path === null) return;
    const { refOf } = this.props;
    const answer = await ask(`api/tail?run=${encodeURIComponent(refOf)}&path=${encodeURIComponent(path)}&${from ? `from=${from}` : 'bytes=16384'}`).catch(() => null);
    if (!answer || refOf !== this.props.refOf || (!answer.text && from)) return;
    if (this.box) this.isAtEnd = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 30;
    const whole = from ? this.state.text + answer.text : answer.text;
    const isCut = whole.length > KEPT || (from ? this.state.isCut : answer.start > 0);
    this.setState({ path, text: whole.slice(-KEPT), end: answer.end, size: answer.size_bytes, isCut });
  }

  render({ run, refOf }, { path, text, size, isCut }) {
    const logs = run.console || [];
    if (!logs.length) return null;
    return html`<h3>${logs.map((each, i) => html`${i ? ' · ' : ''}${logs.length > 1 && each !== path ? html`<button type="button" class="link" onClick=${() => { this.setState({ path: each, text: '', end: 0 }); this.more(each, 0); }}>${each}</button>` : html`<bdi>${each}</bdi>`}`)} <small>${isCut ? `the end of ${bytes(size)}` : bytes(size)}</small> <a href=${fileAddress(refOf, path || logs[0], true)} download title="Download" aria-label="Download ${path}">Download</a></h3>
      <pre class="log inset" tabindex="0" aria-label="What the run printed" ref=${e => { this.box = e; }}>${text || 'Nothing printed yet'}</pre>`;
  }
}

