// What lies packed in a report: columns, runs, differences, and the points of the curves? ui/report_curves.py writes it.

/** Take a report's data apart: the length of the JSON, the JSON, the points. */
export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), sign => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const told = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { ...told, curves: curvesOf(told.curves, buffer.slice(4 + length)) };
}

/** Numbers whose first bytes stand together, then their second ones, and so on. */
function fromPlanes(bytes, count, Kind) {
  const size = Kind.BYTES_PER_ELEMENT;
  const view = new DataView(new ArrayBuffer(count * size));
  const numbers = new Kind(count);
  for (let i = 0; i < count; i += 1) for (let plane = 0; plane < size; plane += 1) view.setUint8(i * size + plane, bytes[plane * count + i]);
  for (let i = 0; i < count; i += 1) numbers[i] = size === 4 ? view.getFloat32(i * size, true) : view.getFloat64(i * size, true);
  return numbers;
}

/** Give every curve its points: x, y, and the means of the columns of pixels with how many rows stand behind each. */
function curvesOf(curves, buffer) {
  const view = new DataView(buffer);
  const [wholes, floats, doubles] = [0, 4, 8].map(at => view.getUint32(at, true));
  const whole = new Uint8Array(buffer, 12, wholes);
  const narrow = fromPlanes(new Uint8Array(buffer, 12 + wholes, 4 * floats), floats, Float32Array);
  const wide = fromPlanes(new Uint8Array(buffer, 12 + wholes + 4 * floats, 8 * doubles), doubles, Float64Array);
  const at = { whole: 0, f: 0, d: 0 };
  const next = () => {
    let number = 0;
    let factor = 1;
    for (;;) {
      const byte = whole[at.whole++];
      number += (byte & 127) * factor;
      if (byte < 128) return number;
      factor *= 128;
    }
  };
  const distances = count => {
    const found = new Float64Array(count);
    let number = 0;
    for (let i = 0; i < count; i += 1) {
      const step = next();
      number += step % 2 ? -(step + 1) / 2 : step / 2;
      found[i] = number;
    }
    return found;
  };
  const take = (kind, count) => (kind === 'd' ? wide : narrow).slice(at[kind], at[kind] += count);
  return curves.map(curve => {
    const { n, m } = curve;
    if (!n) return curve;
    const [x, mx] = curve.x === 'd' ? [take('d', n), take('d', m)] : [distances(n), distances(m)];
    const mw = Uint32Array.from({ length: m }, next);
    return { ...curve, xs: x, mxs: mx, weights: mw, ys: take(curve.y, n), mys: take(curve.y, m) };
  });
}
