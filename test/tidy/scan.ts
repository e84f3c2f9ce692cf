/**
 * Looks at TypeScript and JavaScript text without a parser: just enough to tell code from comments
 * and strings, so that the house rules fire on code and never on a word in a sentence.
 */

/** A source split by kind. Both views have the length and the lines of the text they came from. */
export interface Scan {
  /** The text with comments and the insides of strings, templates and regexes blanked. */
  readonly code: string;
  /** The text as it is. */
  readonly text: string;
}

/** One imported module: what the specifier says, and whether only types come through. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

const BLANK = /[^\n]/g;

/** What a `/` can follow when it begins a regular expression rather than a division. */
const BEFORE_REGEX =
  /(^|[(,=:[!&|?{};+\-*%<>~^]|\b(return|typeof|case|in|of|do|else|await|yield))$/;

/** Length of the comment, string or regex at `at`, 0 if none; `before` is the code so far. */
const literalLength = (text: string, at: number, before: () => string): number => {
  const rest = (pattern: RegExp): number => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0].length ?? 1;
  };
  switch (text[at]) {
    case "'":
      return rest(/'(?:\\[^]|[^'\\\n])*'?/y);
    case '"':
      return rest(/"(?:\\[^]|[^"\\\n])*"?/y);
    case '/':
      if (text[at + 1] === '/') return rest(/\/\/[^\n]*/y);
      if (text[at + 1] === '*') return rest(/\/\*[^]*?(?:\*\/|$)/y);
      if (!BEFORE_REGEX.test(before())) return 0;
      return rest(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y);
    default:
      return 0;
  }
};

/** Blanks everything that is not code; what stands in `${…}` of a template is code. */
export const scan = (text: string): Scan => {
  const parts: string[] = [];
  /** One entry per open template: how many braces are open inside its `${`. */
  const templates: number[] = [];
  const codeSoFar = (): string => parts.slice(-200).join('').trimEnd().slice(-12);
  let at = 0;
  const blank = (length: number, keepEnds: boolean): void => {
    const piece = text.slice(at, at + length);
    const inside = keepEnds ? piece.slice(1, -1) : piece;
    const blanked = inside.replace(BLANK, ' ');
    parts.push(keepEnds && length > 1 ? `${piece[0]}${blanked}${piece.at(-1)}` : blanked);
    at += length;
  };
  const template = (): void => {
    const body = /(?:\\[^]|\$(?!\{)|[^`\\$])*/y;
    body.lastIndex = at;
    blank(body.exec(text)?.[0].length ?? 0, false);
    if (text.startsWith('${', at)) {
      templates.push(0);
      blank(2, false);
    } else {
      parts.push('`');
      at += 1;
    }
  };
  while (at < text.length) {
    const c = text[at]!;
    const length = literalLength(text, at, codeSoFar);
    const depth = templates.at(-1);
    if (length > 0) {
      blank(length, c !== '/' || !/^\/[/*]/.test(text.slice(at, at + 2)));
    } else if (c === '`') {
      parts.push(c);
      at += 1;
      template();
    } else if (c === '}' && depth === 0) {
      templates.pop();
      blank(1, false);
      template();
    } else {
      if (depth !== undefined && c === '{') templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && c === '}') templates[templates.length - 1] = depth - 1;
      parts.push(c);
      at += 1;
    }
  }
  return { code: parts.join(''), text };
};

/** Line number (from 1) of an offset. */
export const lineOf = (text: string, offset: number): number =>
  text.slice(0, offset).split('\n').length;

const STRING = `(?:'[^'\\n]*'|"[^"\\n]*"|\`[^\`\\n]*\`)`;
const FROM = new RegExp(`\\b(?:import|export)\\b([^;'"\`]*?)\\bfrom\\s*(${STRING})`, 'dg');
const BARE = new RegExp(`\\bimport\\s*(${STRING})`, 'dg');
const DYNAMIC = new RegExp(`\\b(?:import|require)\\s*\\(\\s*(${STRING})`, 'dg');
const URL_OF = new RegExp(`\\bnew URL\\(\\s*(${STRING})\\s*,\\s*import\\.meta`, 'dg');
const COMPUTED = new RegExp(
  `(?<![.\\w$])(?:import|require)\\s*\\(\\s*(?!\\s|${STRING}\\s*[,)])`,
  'g',
);

/** Every import, re-export, `import()`, `require()` and `new URL(module, import.meta.url)`. */
export const importsOf = ({ code, text }: Scan): Import[] => {
  const found: Import[] = [];
  const collect = (pattern: RegExp, group: number, keep: (specifier: string) => boolean): void => {
    for (const match of code.matchAll(pattern)) {
      const [start, end] = match.indices![group]!;
      const specifier = text.slice(start + 1, end - 1);
      const typeOnly = group === 2 && /^\s*type\s+[^\s,]/.test(match[1]!);
      if (keep(specifier)) found.push({ specifier, typeOnly, line: lineOf(text, match.index) });
    }
  };
  collect(FROM, 2, () => true);
  collect(BARE, 1, () => true);
  collect(DYNAMIC, 1, () => true);
  collect(URL_OF, 1, (specifier) => /\.[cm]?[jt]s$/.test(specifier));
  return found;
};

/** Lines with an `import(…)` whose module is computed: nobody can tell where it leads. */
export const computedImports = ({ code, text }: Scan): number[] =>
  [...code.matchAll(COMPUTED)].map((match) => lineOf(text, match.index));

const NOT_FUNCTIONS = /\b(?:if|for|while|switch|catch|with|class|interface|extends)\b/;
const MODIFIERS = '(?:(?:async|static|get|set|override|private|public|protected)\\s+)*';
const PARAMETERS = '\\([^;{}]*\\)\\s*(?::[^;{}]*)?';
const METHOD = `(?:^|[\\n,])\\s*${MODIFIERS}\\*?#?[\\w$]+\\s*(?:<[^(){}]*>)?${PARAMETERS}`;
const FUNCTION_HEAD = new RegExp(`(?:=>\\s*|\\bfunction\\b[^;{}]*|${METHOD})$`);

/** Line and length of every function body that spans more than `limit` lines. */
export const longFunctions = (
  { code }: Scan,
  limit: number,
): { readonly line: number; readonly lines: number }[] => {
  const open: { at: number; line: number }[] = [];
  const found: { line: number; lines: number }[] = [];
  let line = 1;
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '\n') line++;
    else if (code[at] === '{') open.push({ at, line });
    else if (code[at] === '}') {
      const start = open.pop();
      if (start === undefined || line - start.line + 1 <= limit) continue;
      const before = code.slice(Math.max(0, start.at - 2000), start.at);
      const head = before.slice(Math.max(before.lastIndexOf(';'), before.lastIndexOf('}')) + 1);
      const isFunction = FUNCTION_HEAD.test(head) && !NOT_FUNCTIONS.test(head.split('\n').at(-1)!);
      if (isFunction) found.push({ line: start.line, lines: line - start.line + 1 });
    }
  }
  return found;
};
