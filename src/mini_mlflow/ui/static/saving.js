// How does a chart or a table get into a file? Full precision, no smoothing unless it is shown.
import { S } from './address.js';
import { theme } from './theme.js';
import { askBlob } from './server.js';
import { xName } from './axes.js';
import { say } from './undo.js';

/** Hand the user a file. */
export function save(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/[^\w.-]+/g, '-').replace(/^[-.]+/, '') || 'file';
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** The chart as it is shown, with its title and the names of its lines. */
export function savePng(plot) {
  const { canvas } = plot.u.ctx;
  const d = devicePixelRatio;
  const names = [...plot.lines].reverse().slice(0, 20);
  const [head, row] = [30 * d, 16 * d];
  const columns = Math.max(1, Math.floor(canvas.width / (150 * d)));
  const out = document.createElement('canvas');
  out.width = canvas.width;
  out.height = head + canvas.height + 8 * d + Math.ceil(names.length / columns) * row + 8 * d;
  const ctx = out.getContext('2d');
  ctx.fillStyle = theme.bg;
  ctx.fillRect(0, 0, out.width, out.height);
  ctx.fillStyle = theme.text;
  ctx.font = `600 ${13 * d}px ${theme.font}`;
  ctx.fillText(`${plot.metric}  by ${xName(S.x)}`, 10 * d, 20 * d);
  ctx.drawImage(canvas, 0, head);
  ctx.font = `${11 * d}px ${theme.font}`;
  names.forEach((line, i) => {
    const x = 10 * d + (i % columns) * (out.width / columns);
    const y = head + canvas.height + 16 * d + Math.floor(i / columns) * row;
    ctx.fillStyle = line.color;
    ctx.fillRect(x, y - 7 * d, 8 * d, 8 * d);
    ctx.fillStyle = theme.text;
    ctx.fillText((line.item.name || line.item.label).slice(0, 24), x + 13 * d, y);
  });
  out.toBlob(blob => save(blob, `${plot.metric}.png`), 'image/png');
}

/** Every row of the runs that a chart shows, within its zoom. */
export async function saveCsv(plot) {
  const runs = plot.items.flatMap(item => item.runs || [item.ref]);
  try {
    save(await askBlob('api/series.csv', { runs, metrics: [plot.metric], stage: S.y, x: S.x, range: S.z ? S.z.split(',').map(Number) : null }), `${plot.metric}.csv`);
  } catch (error) {
    say(`The values were not saved: ${error.message}`);
  }
}
