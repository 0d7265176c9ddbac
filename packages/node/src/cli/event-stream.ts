/** Server-sent events (HTML standard, 9.2) of one name, as an async iteration of their data. */

const BUFFER_MAX = 1_048_576;

export async function* eventsOf(response: Response, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > BUFFER_MAX) throw new RangeError('an event of more than 1 MB');
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      if (!lines.includes(`event: ${name}`)) continue;
      yield lines.flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : [])).join('\n');
    }
  }
}
