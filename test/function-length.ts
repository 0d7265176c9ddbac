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

/**
 * Functions with more than `linesMax` lines of their own. What a nested function takes counts for that one only: a
 * factory that returns a dozen small closures is as readable as a class.
 */
export function longFunctions(text: string, linesMax: number): LongFunction[] {
  const lines = text.split('\n');
  const spans = lines.flatMap((line, start) => {
    if (!isFunctionHead(line)) return [];
    const indentation = /^\s*/.exec(line)?.[0] ?? '';
    const end = lines.findIndex((later, at) => at > start && later.startsWith(`${indentation}}`));
    return end > start ? [{ start, end }] : [];
  });
  return spans.flatMap(({ start, end }) => {
    const inside = spans.filter((span) => span.start > start && span.end < end);
    const nested = lines.filter((_, at) => inside.some((span) => at >= span.start && at <= span.end)).length;
    const own = end - start + 1 - nested;
    return own > linesMax ? [{ line: start + 1, lines: own }] : [];
  });
}
