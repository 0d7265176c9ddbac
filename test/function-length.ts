/**
 * Finds long functions without a parser: in formatted code a function's body ends at the first later line that starts
 * with a closing brace at the indentation of its head.
 */
export interface LongFunction {
  /** 1-based line of the head. */
  readonly line: number;
  readonly lines: number;
}

const CONTROL = /^\s*(if|for|while|switch|do|try|else|catch|return|\} )\b/;
/** `function f() {`, `(x) => {`, a method `f(x): T {`, and the last line of a head that spans several. */
const HEADS = [/\bfunction\b.*\{$/, /=> \{$/, /^\s*([a-z]+ )*#?[\w$]+(<.*>)?\(.*\)(: .*)? \{$/, /^\s*\)(: .*)? \{$/];

function isFunctionHead(line: string): boolean {
  return !CONTROL.test(line) && HEADS.some((head) => head.test(line));
}

export function longFunctions(text: string, linesMax: number): LongFunction[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    if (!isFunctionHead(line)) return [];
    const indentation = /^\s*/.exec(line)?.[0] ?? '';
    const end = lines.findIndex((later, at) => at > index && later.startsWith(`${indentation}}`));
    const length = end - index + 1;
    return end > 0 && length > linesMax ? [{ line: index + 1, lines: length }] : [];
  });
}
