/** Plain text tables for the demo and the benches. */

/** Columns of numbers are right-aligned; the first row is the head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => /^[-\d.,]*$/.test(row[column] ?? '')));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [line(head), rule, ...rows.map(line)].map((text) => `  ${text}`).join('\n');
}

/** Long decimals keep both ends, so that two of them can be told apart. */
export function shortened(text: string, lengthMax = 34): string {
  if (text.length <= lengthMax) return text;
  const side = Math.floor((lengthMax - 1) / 2);
  return `${text.slice(0, side)}…${text.slice(-side)}`;
}

export function shownValue({ type, value }: { readonly type: string; readonly value: bigint }): string {
  return shortened(type === 'bool' ? String(value === 1n) : String(value));
}
