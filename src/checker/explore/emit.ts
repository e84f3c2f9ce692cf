/**
 * The inner loop of a search, written out for one layout: words of a row in local variables, one
 * block per frame, no rule and no transition in sight. What the law says comes from the tables of
 * a `Program`; this text only looks entries up, and asks the program where one is missing.
 *
 * The text depends on the shape of the scope (words, lanes, classes), never on the source of its
 * closures.
 */
import type { Program } from './program.ts';
import { laneAt, laneMask } from './layout.ts';
import type { Layout } from './layout.ts';
import { NEXT_BLOCK, STOP } from './messages.ts';
import { canonText } from './emit-symmetry.ts';

export interface EmitOptions {
  readonly symmetry: boolean;
  /** State rules on every transition; otherwise once per new state. */
  readonly everyTransition: boolean;
  /** The visited set is shared with other workers. */
  readonly shared: boolean;
}

/** Memory of a search; rows, parents and hash slots. */
export interface Memory {
  readonly rows: Int32Array;
  readonly parents: Int32Array;
  readonly table: Int32Array;
  /** What shared searches count together, see messages.ts; unused otherwise. */
  readonly control: Int32Array;
}

/** A search on some memory. States are ids; the parent of an id has a smaller distance. */
export interface Machine {
  attach(memory: Memory, count: number): void;
  /** Enters a row if it is new. */
  insert(row: Int32Array, parent: number): void;
  /** Enters ids from rows that are there already into the hash slots. */
  rehash(from: number, to: number): void;
  /** Expands ids until `to`, or until memory is short or a rule broke; answers where it stopped. */
  expand(from: number, to: number): number;
  count(): number;
  transitions(): number;
  deadlocks(): number;
  /** Id of the state whose successor broke a rule, or -1; the successor is in `broken`. */
  brokenParent(): number;
  /** Ids that this worker made since the last call: pairs of first id and end. */
  takeRanges(): number[];
  /** Ids that this worker reserved and did not use: first id and end. */
  unused(): readonly [number, number];
}

/** What the text is closed over, beside the program. */
export interface Environment {
  readonly row: Int32Array;
  readonly target: Int32Array;
  readonly broken: Int32Array;
  readonly locals: Int32Array;
  readonly lanes: Int32Array;
  readonly sortClass: (lanes: Int32Array, index: number) => void;
}

/** Ids that a shared search reserves at a time. */
export const BLOCK = 256;

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const list = (n: number, prefix: string): string =>
  count(n)
    .map((i) => prefix + i)
    .join(',');

interface Shape {
  readonly program: Program;
  readonly layout: Layout;
  readonly options: EmitOptions;
  readonly W: number;
  readonly F: number;
  /** Calls the function that enters a row that several frames may differ in. */
  readonly enter: string;
}

const lane = (layout: Layout, p: number, prefix: string): string => {
  const { word, shift } = laneAt(layout, p);
  return layout.laneBits === 0 ? '0' : `((${prefix}${word}>>>${shift})&${laneMask(layout)})`;
};

const hashText = (W: number): string =>
  [
    'let h=0x9747b28c|0;',
    ...count(W).map((i) => `h=Math.imul(h^n${i},0x${i % 2 ? '85ebca6b' : '9e3779b1'});h^=h>>>15;`),
    'h=Math.imul(h,0xc2b2ae35);h^=h>>>16;',
  ].join('');

/**
 * The function `name` that enters a row; `check` is asked of rows that are new.
 *
 * Shared slots are read plainly, as an atomic read is a call in V8: a slot that seems empty is
 * decided by the exchange, and a row is read by the id that was found, which comes after it in
 * every processor (a row is written before the exchange that shows its id).
 */
const addText = ({ W, options }: Shape, name: string, check: string): string => {
  const same = count(W).map((i) => `st[b+${i}]===n${i}`);
  const write = count(W).map((i) => `st[b+${i}]=n${i};`);
  const n = list(W, 'n');
  const test = check === '' ? '' : `if(!${check}(${n})){bad(${n},me);return;}`;
  const head = `function ${name}(${n},me){${hashText(W)}let i=h&MASK;`;
  if (!options.shared) {
    return `${head}for(;;){const id=tab[i];if(id===0)break;const b=(id-1)*${W};
      if(${same.join('&&')})return;i=(i+1)&MASK;}
      ${test}const b=cnt*${W};${write.join('')}par[cnt]=me;tab[i]=++cnt;}`;
  }
  return `${head}for(;;){let id=tab[i];
    if(id===0){${test}if(cnt===blockEnd)newBlock();{const b=cnt*${W};${write.join('')}}par[cnt]=me;
      id=Atomics.compareExchange(tab,i,0,cnt+1);if(id===0){cnt++;made++;return;}}
    const b=(id-1)*${W};if(${same.join('&&')})return;i=(i+1)&MASK;}}`;
};

/** What follows the current lane's id in the tables: constants where ids are the bits. */
const at = ({ program, layout }: Shape, p: number, prefix: string, ids: string): string => {
  const { directLane, directGlobal, localRoom, globalRoom } = program;
  const l = directLane ? lane(layout, p, prefix) : `${ids}[${p}]`;
  return directLane && directGlobal
    ? `(${p * localRoom * globalRoom}+(g*${localRoom})+${l})`
    : `((${p}*GR+g)*LR+${l})`;
};

const globalText = ({ program, layout, W }: Shape): string => {
  const words = count(W).slice(layout.laneWords);
  if (program.directGlobal) return 'function gid(){return 0}';
  const mixed = words.map((w) => `h=Math.imul(h^n${w},0x9e3779b1);h^=h>>>15;`).join('');
  const same = words.map((w, k) => `gkeys[b+${k}]===n${w}`).join('&&');
  const stored = words.map((_, k) => `gkeys[d*${words.length}+${k}]`).join(',');
  const names = words.map((w) => `n${w}`).join(',');
  const G = words.length;
  return `let gkeys=new Int32Array(${G}*1024),gtab=new Int32Array(2048),gcount=0;
    function gslot(${names}){let h=0;${mixed}
      let i=h&(gtab.length-1);for(;;){const d=gtab[i];if(d===0)return i;const b=(d-1)*${G};
      if(${same})return i;i=(i+1)&(gtab.length-1);}}
    function gid(${names}){const i=gslot(${names});const d=gtab[i];
      return d===0?newg(i,${names}):d-1;}
    function newg(i,${names}){${words.map((w) => `Q[${w}]=n${w};`).join('')}
      const id=P.globalId(Q);sync();
      ${words.map((w, k) => `gkeys[id*${G}+${k}]=n${w};`).join('')}gtab[i]=id+1;gcount++;
      if(gcount*2>gtab.length){const old=gkeys;gkeys=new Int32Array(old.length*2);gkeys.set(old);
        gtab=new Int32Array(gtab.length*2);
        for(let d=0;d<gcount;d++){
          gtab[gslot(${stored})]=d+1;}}
      return id;}`;
};

const gidOf = ({ program, layout, W }: Shape, prefix: string): string => {
  const words = count(W).slice(layout.laneWords);
  if (words.length === 0) return '0';
  if (program.directGlobal) return program.globalRoom === 1 ? '0' : `${prefix}${words[0]}`;
  return `gid(${words.map((w) => prefix + w).join(',')})`;
};

/** Fills `ids` with the local ids of the lanes of a row in variables. */
const localIdsText = ({ program, layout, F }: Shape, prefix: string, ids: string): string => {
  if (program.directLane) return '';
  const one = (p: number): string =>
    program.localIds.length === 0
      ? `${ids}[${p}]=newl(${lane(layout, p, prefix)});`
      : `{const v=${lane(layout, p, prefix)};const d=LI[v];${ids}[${p}]=d===0?newl(v):d-1;}`;
  return count(F).map(one).join('');
};

/** Rules of a whole row: verdicts of its lanes, then the trees of rules that look further. */
const rulesText = (shape: Shape): string => {
  const { F, W, program } = shape;
  const n = list(W, 'n');
  const lanes = count(F).map((p) => {
    const id = program.directLane ? lane(shape.layout, p, 'n') : `LN[${p}]`;
    return `{const a=${at(shape, p, 'n', 'LN')};const v=V[a];
      if(v!==1&&(v===2||verdict(${p},g,${id},${n})===2))return false;}`;
  });
  const far =
    program.ruleTrees.length === 0
      ? `function far(){return true}`
      : `const ruleTrees=P.ruleTrees;
    function far(${n}){${toRow(W, 'Q', 'n')}for(let k=0;k<ruleTrees.length;k++){
      ${walkText('Q', 'ruleTrees[k]')}if(q===-2)return false;}return true;}`;
  return `${far}
    function verdict(p,g,l,${n}){${toRow(W, 'Q', 'n')}
      const v=P.fillVerdict(p,g,l,Q);sync();return v;}
    function okAll(${n}){const g=${gidOf(shape, 'n')};${localIdsText(shape, 'n', 'LN')}
      ${lanes.join('')}return far(${n});}`;
};

const toRow = (W: number, row: string, prefix: string): string =>
  count(W)
    .map((w) => `${row}[${w}]=${prefix}${w};`)
    .join('');

/** Walks a tree on a row; leaves the leaf in `q`. */
const walkText = (row: string, tree: string): string =>
  `let q=roots[${tree}];while(q>0){const o=q<<2,f=nodes[o+3];
    const v=(${row}[nodes[o]]>>>nodes[o+1])&nodes[o+2];
    q=f<0?branches[~f+(v===0?0:1)]:branches[f+v];}
    if(q===0){q=tries.learn(${tree},${row});sync();}`;

/** The local transitions of one frame; answers how many there are. */
const frameText = (shape: Shape, p: number): string => {
  const { W, layout, options, program } = shape;
  const { word, shift } = laneAt(layout, p);
  const c = list(W, 'c');
  const own = count(W).map((w) => (w === word ? `(r|(x<<${shift}))` : `c${w}`));
  const add = options.symmetry ? 'addc' : 'add';
  const far =
    options.everyTransition && program.ruleTrees.length > 0
      ? `if(!far(${own.join(',')})){bad(${own.join(',')},me);continue;}`
      : '';
  const l = program.directLane ? lane(layout, p, 'c') : `LC[${p}]`;
  return `function f${p}(${c},me,g){let e=T[${at(shape, p, 'c', 'LC')}];
    if(e===0){${toRow(W, 'R', 'c')}e=P.fillSuccessors(${p},g,${l},R);sync();}
    const n=pool[e],r=c${word}&${~(laneMask(layout) << shift)};
    for(let k=e+1;k<=e+n;k++){let x=pool[k];if(x<0){x=~x;bad(${own.join(',')},me);continue;}
      ${far}${add}(${own.join(',')},me);}
    return n;}`;
};

const productText = (shape: Shape, i: number): string => {
  const { W, F, layout } = shape;
  const c = list(W, 'c');
  const row = toRow(W, 'R', 'c');
  const index = (p: number): string => at(shape, p, 'c', 'LC').replace(/^\(/, '(S+');
  const load = count(F).map((p) => `a${p}=A[${index(p)}];`);
  const word = (w: number): string => {
    if (w >= layout.laneWords) return `GP[x+${w - layout.laneWords}]`;
    return count(F)
      .filter((p) => laneAt(layout, p).word === w)
      .map((p) => `(a${p}<<${laneAt(layout, p).shift})`)
      .join('|');
  };
  const ids = shape.program.directLane
    ? count(F)
        .map((p) => `LC[${p}]=${lane(layout, p, 'c')};`)
        .join('')
    : '';
  const none = F === 0 || layout.laneBits === 0;
  const fill = `if((${list(F, 'a').replaceAll(',', '|')})<0){${row}${ids}
    P.fillAfter(${i},g,LC,R);sync();${load.join('')}}`;
  return `function p${i}(${c},me,g){let x=E[${i}*GR+g];
    if(x===0){${row}x=P.fillEnabled(${i},g,R);sync();}if(x<0)return 0;
    ${none ? '' : `const S=${i}*${F}*GR*LR;let ${list(F, 'a')};${load.join('')}${fill}`}
    ${shape.enter}(${count(W).map(word).join(',')},me);return 1;}`;
};

const treesText = ({ W, program, enter }: Shape): string => {
  if (program.treeOf.length === 0) return '';
  const n = list(W, 'n');
  const next = count(W).map((w) => `n${w}=(c${w}&keep[o+${w}])|sum[o+${w}]`);
  const broken = `if(P.brokenStep(R,Q)!==undefined){bad(${n},me);continue;}`;
  const stepCheck = `${toRow(W, 'Q', 'n')}${broken}`;
  return `const trees=P.treeOf.map((t)=>t.tree);
    function far_steps(${list(W, 'c')},me){let n=0;${toRow(W, 'R', 'c')}
      for(let k=0;k<trees.length;k++){const t=trees[k];${walkText('R', 't')}
        if(q===-1)continue;n++;const o=(-2-q)*${W};const ${next.join(',')};
        ${program.hasStepRules ? stepCheck : ''}
        ${enter}(${n},me);}
      return n;}`;
};

const expandText = (shape: Shape): string => {
  const { W, F, program, options } = shape;
  const c = list(W, 'c');
  const twin = program.twinOf;
  const frames = count(F)
    .filter((p) => program.hasLocal[p])
    .map((p) => {
      const q = options.symmetry ? twin[p]! : -1;
      const call = `f${p}(${c},me,g)`;
      const value =
        q >= 0 && program.hasLocal[q]
          ? `${lane(shape.layout, p, 'c')}===${lane(shape.layout, q, 'c')}?k${q}:${call}`
          : call;
      return `const k${p}=${value};n+=k${p};`;
    });
  return `function expand(from,to){let me=from;
    for(;me<to;me++){if(stopped||${options.shared ? 'short()' : 'cnt>room'})break;
      const b=me*${W};const ${count(W)
        .map((w) => `c${w}=st[b+${w}]`)
        .join(',')};
      let n=0;const g=${gidOf(shape, 'c')};${localIdsText(shape, 'c', 'LC')}
      ${frames.join('')}
      ${program.products.map((_, i) => `n+=p${i}(${c},me,g);`).join('')}
      ${program.treeOf.length > 0 ? `n+=far_steps(${c},me);` : ''}
      trans+=n;if(n===0)dead++;}
    return me;}`;
};

const blocksText = (shape: Shape): string =>
  !shape.options.shared
    ? ''
    : `let blockEnd=0,rangeStart=0,made=0,ranges=[];
    function newBlock(){if(cnt>rangeStart)ranges.push(rangeStart,cnt);
      cnt=Atomics.add(control,${NEXT_BLOCK},1)*${BLOCK};blockEnd=cnt+${BLOCK};rangeStart=cnt;}
    function short(){return blockEnd-cnt<${shape.program.mostSuccessors}&&
      (Atomics.load(control,${STOP})!==0||Atomics.load(control,${NEXT_BLOCK})*${BLOCK}>room);}`;

const headText = (shape: Shape): string => {
  const { W } = shape;
  const n = list(W, 'n');
  return `'use strict';
    const R=env.row,Q=env.target,B=env.broken,LC=env.locals,LN=new Int32Array(env.locals.length);
    const tries=P.tries,LI=P.localIds;
    let T,pool,V,A,E,GP,LR,GR,nodes,branches,roots,keep,sum;
    function sync(){T=P.successors;pool=P.pool;V=P.verdicts;A=P.after;E=P.enabledAt;GP=P.globalPool;
      LR=P.localRoom;GR=P.globalRoom;nodes=tries.nodes;branches=tries.branches;roots=tries.roots;
      keep=tries.keep;sum=tries.add;}
    sync();
    let st,par,tab,control,MASK=0,room=0,cnt=0,trans=0,dead=0,stopped=false,parent=-1;
    function newl(v){const d=P.newLocalId(v);sync();return d;}
    function bad(${n},me){if(parent<0){parent=me;${toRow(W, 'B', 'n')}stopped=true;}}`;
};

const interfaceText = ({ W, options, program }: Shape): string => {
  const most = program.mostSuccessors;
  const slack = options.shared ? `(1+env.workers)*(${most}+${2 * BLOCK})` : `${most}+1`;
  return `return {expand,
    attach(m,count){st=m.rows;par=m.parents;tab=m.table;control=m.control;MASK=tab.length-1;
      room=par.length-(${slack});${options.shared ? '' : 'cnt=count;'}},
    insert(row,me){add(${count(W)
      .map((w) => `row[${w}]`)
      .join(',')},me)},
    rehash(from,to){for(let id=from;id<to;id++){const b=id*${W};
      const ${count(W)
        .map((w) => `n${w}=st[b+${w}]`)
        .join(',')};
      ${hashText(W)}let i=h&MASK;while(tab[i]!==0)i=(i+1)&MASK;tab[i]=id+1;}},
    count:()=>${options.shared ? 'made' : 'cnt'},transitions:()=>trans,deadlocks:()=>dead,
    brokenParent:()=>parent,
    takeRanges(){${
      options.shared
        ? `if(cnt>rangeStart)ranges.push(rangeStart,cnt);rangeStart=cnt;
      const r=ranges;ranges=[];return r;`
        : 'return [];'
    }},
    unused:()=>${options.shared ? '[cnt,blockEnd]' : '[cnt,cnt]'}};`;
};

/** The text of a search over the tables of this program. */
export const searchText = (program: Program, options: EmitOptions): string => {
  const { layout } = program;
  const W = layout.words;
  const n = list(W, 'n');
  const add = options.symmetry ? 'addc' : 'add';
  const shape: Shape = { program, layout, options, W, F: layout.frames.length, enter: 'enter' };
  const checkAdd = options.everyTransition ? '' : program.ruleTrees.length > 0 ? 'far' : '';
  const enter = options.everyTransition
    ? `function enter(${n},me){if(!okAll(${n})){bad(${n},me);return;}${add}(${n},me);}`
    : `${addText(shape, 'addAll', 'okAll')}
      function enter(${n},me){${options.symmetry ? 'addAllc' : 'addAll'}(${n},me);}`;
  return [
    headText(shape),
    blocksText(shape),
    globalText(shape),
    rulesText(shape),
    addText(shape, 'add', checkAdd),
    options.symmetry ? canonText(program, 'addc', 'add') : '',
    enter,
    options.symmetry && !options.everyTransition ? canonText(program, 'addAllc', 'addAll') : '',
    ...count(shape.F)
      .filter((p) => program.hasLocal[p])
      .map((p) => frameText(shape, p)),
    ...program.products.map((_, i) => productText(shape, i)),
    treesText(shape),
    expandText(shape),
    interfaceText(shape),
  ].join('\n');
};

/** A search over the tables of this program; `workers` is how many share its memory. */
export const machineOf = (
  program: Program,
  options: EmitOptions,
  broken: Int32Array,
  workers: number,
): Machine => {
  const { layout } = program;
  const environment: Environment & { workers: number } = {
    row: new Int32Array(layout.words),
    target: new Int32Array(layout.words),
    broken,
    locals: new Int32Array(layout.frames.length),
    lanes: new Int32Array(layout.frames.length),
    sortClass: program.sortClass,
    workers,
  };
  const text = searchText(program, options);
  // The text is ours, made from numbers alone: nothing of it comes from a user or from a rule.
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function('P', 'env', text)(program, environment) as Machine;
};
