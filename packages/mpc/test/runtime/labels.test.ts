import { expect, test } from 'vitest';
import { LABELS } from '../../src/labels.ts';

test('domain labels are distinct, versioned, and none is a prefix of another', () => {
  const labels = Object.values(LABELS);
  for (const label of labels) {
    expect(label).toMatch(/^keyquorum\/mpc\/[a-z0-9-]+\/v\d+$/);
    expect(labels.filter((other) => other.startsWith(label))).toEqual([label]);
  }
});
