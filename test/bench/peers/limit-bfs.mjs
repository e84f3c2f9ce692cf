/**
 * The reference model, searched breadth-first by a loop written by hand for it alone: the limit to
 * race against. Invariants are checked once per new state.
 *
 * Arguments: `typed` or `sym`, frames in scratch, other frames, kernels. Prints one JSON line.
 */
// limit for exhaustive exploration in JS. args: mode NS NN G
const [, , mode = 'typed', ns = '2', nn = '6', gg = '3'] = process.argv;
const S = +ns,
  NN = +nn,
  N = S + NN,
  G = +gg;
// frame byte: al bits0-1, pr bit2, hd bit3, ct bits4-5, ex bits6-7 ; words W0..: 4 frames per uint32; last word meta gen|loaded<<2
const W = Math.ceil(N / 4) + 1,
  M = W - 1;
const cur = new Uint32Array(W),
  nx = new Uint32Array(W);
const CAPB = +(process.env.CAPB || 25),
  CAP = 1 << CAPB,
  MASK = CAP - 1,
  MAXST = +(process.env.MAXST || Math.floor(CAP * 0.72));
const tab = new Int32Array(CAP);
const st = new Uint32Array(MAXST * W);
const par = process.env.NOPAR ? null : new Uint32Array(MAXST);
let cnt = 0,
  trans = 0;
function hash(a) {
  let h = 0x9747b28c | 0;
  for (let i = 0; i < W; i++) {
    let k = Math.imul(a[i], 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h;
}

function invOK(a) {
  for (let p = 0; p < N; p++) {
    const f = (a[p >> 2] >>> ((p & 3) << 3)) & 255;
    if (f & 12) {
      if (f & 4 && (p < S || (f & 3) !== 2)) return false;
      if (f & 8 && (f & 3) !== 0) return false;
      if (((f >> 4) & 3) !== f >> 6) return false;
    }
  }
  return true;
}
const sym = mode === 'sym';
const buf = new Uint8Array(N);
function canon(a) {
  for (let p = 0; p < N; p++) buf[p] = (a[p >> 2] >>> ((p & 3) << 3)) & 255; // insertion sort both classes
  for (let i = 1; i < S; i++) {
    const v = buf[i];
    let j = i - 1;
    while (j >= 0 && buf[j] > v) {
      buf[j + 1] = buf[j];
      j--;
    }
    buf[j + 1] = v;
  }
  for (let i = S + 1; i < N; i++) {
    const v = buf[i];
    let j = i - 1;
    while (j >= S && buf[j] > v) {
      buf[j + 1] = buf[j];
      j--;
    }
    buf[j + 1] = v;
  }
  for (let w = 0; w < M; w++) a[w] = 0;
  for (let p = 0; p < N; p++) a[p >> 2] |= buf[p] << ((p & 3) << 3);
  for (let w = 0; w < M; w++) a[w] >>>= 0;
}
function add(from) {
  trans++;
  if (sym) canon(nx);
  let i = hash(nx) & MASK;
  for (;;) {
    const id = tab[i];
    if (id === 0) break;
    const b = (id - 1) * W;
    let eq = true;
    for (let w = 0; w < W; w++)
      if (st[b + w] !== nx[w]) {
        eq = false;
        break;
      }
    if (eq) return;
    i = (i + 1) & MASK;
  }
  if (!invOK(nx)) throw new Error('violation');
  if (cnt >= MAXST) throw new Error('full');
  const b = cnt * W;
  for (let w = 0; w < W; w++) st[b + w] = nx[w];
  if (par) par[cnt] = from;
  cnt++;
  tab[i] = cnt;
}
function put(p, f) {
  const w = p >> 2,
    sh = (p & 3) << 3;
  nx[w] = ((cur[w] & ~(255 << sh)) | (f << sh)) >>> 0;
}
function undo(p) {
  const w = p >> 2;
  nx[w] = cur[w];
}
const cpu = () => {
  const c = process.cpuUsage();
  return (c.user + c.system) / 1e3;
};
const w0 = performance.now();
const t0 = cpu();
add(0);
trans = 0;
let head = 0;
let depthMark = 1,
  depth = 0;
while (head < cnt) {
  const b = head * W;
  for (let w = 0; w < W; w++) cur[w] = st[b + w];
  const me = head++;
  const meta = cur[M],
    gen = meta & 3,
    loaded = meta >> 2;
  for (let w = 0; w < W; w++) nx[w] = cur[w];
  let prev = -1;
  for (let p = 0; p < N; p++) {
    const f = (cur[p >> 2] >>> ((p & 3) << 3)) & 255;
    if (sym) {
      if (p !== S && p !== 0 && f === prev) continue;
      prev = f;
    }
    const al = f & 3;
    if (al === 0) {
      if (!(f & 8)) {
        put(p, 1 | ((gen + 1) << 4));
        add(me);
        if (sym) for (let w = 0; w < W; w++) nx[w] = cur[w];
        else undo(p);
        if (p >= S) {
          put(p, 2 | ((gen + 1) << 4));
          add(me);
          if (sym) for (let w = 0; w < W; w++) nx[w] = cur[w];
          else undo(p);
        }
      } else {
        put(p, (f & ~8 & ~192) | 2);
        add(me);
        if (sym) for (let w = 0; w < W; w++) nx[w] = cur[w];
        else undo(p);
      }
    } else {
      if (!(f & 4)) {
        put(p, 0);
        add(me);
        if (sym) for (let w = 0; w < W; w++) nx[w] = cur[w];
        else undo(p);
        if (p >= S && al === 2 && !loaded) {
          put(p, f | 4 | (((f >> 4) & 3) << 6));
          add(me);
          if (sym) for (let w = 0; w < W; w++) nx[w] = cur[w];
          else undo(p);
        }
      } else if (!loaded) {
        put(p, f & ~4 & ~192);
        add(me);
        if (sym) for (let w = 0; w < W; w++) nx[w] = cur[w];
        else undo(p);
      }
    }
  }
  if (!loaded) {
    nx[M] = gen | 4;
    add(me);
    for (let w = 0; w < W; w++) nx[w] = cur[w];
  } else if (gen < G - 1) {
    for (let w = 0; w < M; w++) nx[w] = 0;
    for (let p = 0; p < N; p++) {
      const f = (cur[p >> 2] >>> ((p & 3) << 3)) & 255;
      if (f & 4) nx[p >> 2] |= ((f & 0xf0) | 8) << ((p & 3) << 3);
    }
    for (let w = 0; w < M; w++) nx[w] >>>= 0;
    nx[M] = gen + 1;
    add(me);
    for (let w = 0; w < W; w++) nx[w] = cur[w];
  }
  if (head === depthMark) {
    depth++;
    depthMark = cnt;
  }
}
const dt = (cpu() - t0) / 1000;
const wall = (performance.now() - w0) / 1000;
console.log(
  JSON.stringify({
    mode,
    wall: +wall.toFixed(2),
    cpu: +dt.toFixed(2),
    S,
    NN,
    G,
    states: cnt,
    trans,
    depth,
    states_s: Math.round(cnt / dt),
    trans_s: Math.round(trans / dt),
    bytesPerState: W * 4 + (par ? 4 : 0) + (4 * CAP) / cnt,
    rssMB: Math.round(process.memoryUsage().rss / 1e6),
  }),
);
