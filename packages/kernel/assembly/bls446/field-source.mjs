// Writes the AssemblyScript source of arithmetic mod p and of the curve's constants; build.mjs puts it into build/.
// A field element is 16 limbs of 28 bits in u32 words, little-endian, 64 bytes, in Montgomery form with R = 2^448, and
// stays below 2p between operations (p < 0.24 R, so products of such values reduce to below 2p without a subtraction).
// Only these innermost loops are generated: unrolled they are 4 times faster, and neither asc nor V8 does it.
// No operation branches on a value or uses one as an address.

const LIMBS = 16;
const LIMB_BITS = 28n;
const LIMB_MASK = (1n << LIMB_BITS) - 1n;
const FR_WORDS = 10;

// As in src/bls446-encoding.ts, which this file cannot read: it runs before anything can run TypeScript.
const X = -0x6008204000000020001n;
const R = X ** 4n - X ** 2n + 1n;
const P = ((X - 1n) ** 2n * R) / 3n + X;
/** (x, y) -> (BETA x, y) multiplies by -X^2 on G1: a cube root of unity mod p, from the family's polynomials. */
const BETA = -(X ** 5n) + 3n * X ** 4n - 3n * X ** 3n + X - 2n;

const range = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
const limbsOf = (value, count = LIMBS, bits = LIMB_BITS) =>
  range(0, count).map((i) => (value >> (bits * BigInt(i))) & ((1n << bits) - 1n));

/** -1/value mod 2^bits, value odd. */
function negativeInverse(value, bits) {
  let inverse = 1n;
  for (let known = 1n; known < bits; known *= 2n) inverse *= 2n - value * inverse; // Newton: doubles the known bits
  return mod(-inverse, 1n << bits);
}

function mod(a, modulus) {
  const rest = a % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function power(base, exponent, multiply, one) {
  let result = one;
  for (const bit of exponent.toString(2)) {
    result = multiply(result, result);
    if (bit === '1') result = multiply(result, base);
  }
  return result;
}

const fp2Multiply = ([a, b], [c, d]) => [mod(a * c - b * d, P), mod(a * d + b * c, P)];
const fp2Power = (base, exponent) => power(base, exponent, fp2Multiply, [1n, 0n]);

// --- emitted statements ----------------------------------------------------------------------------------------------
// Products work on limbs. Sums work on words of two limbs, limb 2w in the low half of word w and limb 2w + 1 in the
// high one: a borrow out of a low half reaches the high half by itself, a carry does with BIAS added to the low half.

const WORDS = LIMBS / 2;
const wordsOf = (value) => {
  const limbs = limbsOf(value);
  return range(0, WORDS).map((w) => limbs[2 * w] | (limbs[2 * w + 1] << 32n));
};
const prime = limbsOf(P);
const COLUMNS = 2 * LIMBS - 1;
const store = (w, value) => `store<u64>(o, ${value}, ${8 * w});`;
const storeSecond = (w, value) => store(WORDS + w, value);
const local = (name, type = 'u64') => (w, value) => `const ${name}${w}: ${type} = ${value};`;
const loadLimbs = (name, type = 'u64', from = name, offset = 0) =>
  range(0, LIMBS).map((i) => `const ${name}${i}: ${type} = load<u32>(${from}, ${offset + 4 * i});`).join(' ');
/** Limb pairs (i, k - i) of column k. */
const column = (k) => range(Math.max(0, k - LIMBS + 1), Math.min(k, LIMBS - 1) + 1).map((i) => [i, k - i]);
const products = (a, b) => (k) => column(k).map(([i, j]) => `${a}${i} * ${b}${j}`);
/** The same for a square: d = 2a, so that each mixed product is taken once. */
const squares = (k) =>
  column(k).filter(([i, j]) => i <= j).map(([i, j]) => (i === j ? `a${i} * a${j}` : `a${i} * d${j}`));

/**
 * Products and reduction in one pass over the 31 columns. A column holds 32 products of operands at most, 16 of the
 * reduction, each below 2^56, and a carry: below 2^62. `emit(w, value)` takes word w of the result.
 */
function montgomery(terms, emit) {
  const lines = range(0, COLUMNS).flatMap((k) => [`c += ${terms(k).join(' + ')};`, ...reduceColumn(k, 'c', emit)]);
  return ['let c: u64 = 0;', ...lines].join('\n  ');
}

/**
 * The reduction's part of column k, in the accumulator `c`: a multiple of p clears it in the lower half; in the upper
 * one its limb joins the result, and with the last the carry does.
 */
function reduceColumn(k, c, emit) {
  const reductions = column(k).filter(([i]) => i < k || k >= LIMBS).map(([i, j]) => `${c}m${i} * ${prime[j]}`);
  const lines = reductions.length > 0 ? [`${c} += ${reductions.join(' + ')};`] : [];
  if (k < LIMBS) {
    const multiple = `const ${c}m${k} = (${c} * ${negativeInverse(P, LIMB_BITS)}) & ${LIMB_MASK};`;
    lines.push(multiple, `${c} = (${c} + ${c}m${k} * ${prime[0]}) >> 28;`);
  } else if (k % 2 === 0) {
    lines.push(`const ${c}r${k} = ${c} & ${LIMB_MASK}; ${c} >>= 28;`);
  } else {
    lines.push(emit((k - LIMBS - 1) / 2, `${c}r${k - 1} | ((${c} & ${LIMB_MASK}) << 32)`), `${c} >>= 28;`);
  }
  if (k === COLUMNS - 1) lines.push(emit(WORDS - 1, `${c}r${k} | (${c} << 32)`));
  return lines;
}

/**
 * (a0 + a1 u)(b0 + b1 u) = x + y u with three products instead of four: x = a0 b0 - a1 b1 and
 * y = (a0 + a1)(b0 + b1) - a0 b0 - a1 b1, column by column and before the reductions, which makes two of them.
 * Columns of the sums are below 2^62. Those of x have a sign, and so has x: it is above -0.96p and below 1.96p;
 * y is below 2.9p.
 */
function complexProduct() {
  const sums = range(0, LIMBS).map((i) => `const g${i} = a${i} + d${i}, h${i} = b${i} + e${i};`).join(' ');
  const sum = (a, b, k) => products(a, b)(k).join(' + ');
  const lines = range(0, COLUMNS).flatMap((k) => [
    `v = ${sum('a', 'b', k)}; w = ${sum('d', 'e', k)};`,
    `x += v - w; y += ${sum('g', 'h', k)} - v - w;`,
    ...reduceColumn(k, 'x', local('s', 'i64')),
    ...reduceColumn(k, 'y', local('t')),
  ]);
  return [
    loadLimbs('a', 'i64'), loadLimbs('b', 'i64'), loadLimbs('d', 'i64', 'a', 64), loadLimbs('e', 'i64', 'b', 64), sums,
    'let v: i64 = 0, w: i64 = 0, x: i64 = 0, y: i64 = 0;',
    ...lines,
    ...addIfNegative('x', (w) => `s${w}`),
    subtractOnce(2n * P, { from: 't', emit: storeSecond }),
  ].join('\n  ');
}

/** Stores the words of a value, or of the value and 2p when `sign` is below 0. */
function addIfNegative(sign, word) {
  const sums = wordsOf(2n * P).map((prime2, w) => {
    const carry = w === 0 ? '' : ` + (c${w - 1} >> 60)`;
    const sum = `const c${w}: u64 = (<u64>${word(w)} & PAIR) + (${prime2} & negative) + BIAS${carry};`;
    return `${sum} ${store(w, `c${w} & PAIR`)}`;
  });
  return [`const negative = <u64>(${sign} >> 63);`, ...sums];
}

/** s or s - modulus, whichever is in 0 .. modulus - 1, for words s0.. of a value below twice the modulus. */
function subtractOnce(modulus, { from = 's', emit = store } = {}) {
  const words = wordsOf(modulus);
  const differences = words.map((word, w) => {
    const borrow = w === 0 ? '' : ` + (${from}d${w - 1} >> 63)`;
    return `const ${from}d${w}: i64 = <i64>${from}${w} - ${word}${borrow};`;
  });
  const keep = `const ${from}k = <u64>(${from}d${WORDS - 1} >> 63);`;
  const chosen = words.map((_, w) => emit(w, `(${from}${w} & ${from}k) | (<u64>${from}d${w} & PAIR & ~${from}k)`));
  return [...differences, keep, ...chosen].join('\n  ');
}

function addition() {
  const sums = range(0, WORDS).map((w) => {
    const carry = w === 0 ? '' : ` + (t${w - 1} >> 60)`;
    const sum = `const t${w}: u64 = load<u64>(a, ${8 * w}) + load<u64>(b, ${8 * w}) + BIAS${carry};`;
    return `${sum} ${local('s')(w, `t${w} & PAIR`)}`;
  });
  return [...sums, subtractOnce(2n * P)].join('\n  ');
}

function subtraction() {
  const words = wordsOf(2n * P);
  const differences = words.map((_, w) => {
    const borrow = w === 0 ? '' : ` + (d${w - 1} >> 63)`;
    return `const d${w}: i64 = load<i64>(a, ${8 * w}) - load<i64>(b, ${8 * w})${borrow};`;
  });
  return [...differences, ...addIfNegative(`d${WORDS - 1}`, (w) => `d${w}`)].join('\n  ');
}

const table = (name, words) =>
  `export const ${name}: usize = memory.data<u32>([${words.join(', ')}], 16);`;
const element = (value) => limbsOf((value << 448n) % P);

function constants() {
  const residue = mod(-1n, P); // (1+u)^-1 = (1-u)/2
  const half = power(2n, P - 2n, (a, b) => (a * b) % P, 1n);
  const inverse = [half, mod(residue * half, P)];
  return [
    table('ZERO', element(0n)),
    table('ONE', [...element(1n), ...element(0n)]),
    table('PRIME', prime),
    table('BETA', element(BETA)),
    table('PSI_X', fp2Power(inverse, (P - 1n) / 3n).flatMap(element)),
    table('PSI_Y', fp2Power(inverse, (P - 1n) / 2n).flatMap(element)),
    table('R_SQUARED', limbsOf((1n << 896n) % P)),
    `export const P_INVERSE: i64 = ${(1n << LIMB_BITS) - negativeInverse(P, LIMB_BITS)};`, // mod 2^28
    table('FR_ORDER', limbsOf(R, FR_WORDS, 32n)),
    table('FR_SQUARE', limbsOf((1n << 640n) % R, FR_WORDS, 32n)),
    `export const FR_NEGATIVE_INVERSE: u32 = ${negativeInverse(R, 32n)};`,
    table('X_SQUARED', limbsOf(X * X, 6, 32n)),
    table('X_ABSOLUTE', limbsOf(-X, 6, 32n)),
  ];
}

const addresses = (names) => [...names].map((name) => `${name}: usize`).join(', ');
const PARAMETERS = { one: addresses('a'), two: addresses('ab'), four: addresses('abxy') };

/** The text of the module. */
export function fieldSource() {
  const define = (comment, name, parameters, ...body) =>
    `/** ${comment} */\nexport function ${name}(o: usize, ${parameters}): void {\n  ${body.join('\n  ')}\n}`;
  const doubled = range(1, LIMBS).map((i) => `const d${i} = a${i} << 1;`).join(' ');
  const two = (k) => [...products('a', 'b')(k), ...products('x', 'y')(k)];
  const reduceFrom = (name) => range(0, WORDS).map((w) => local(name)(w, `load<u64>(a, ${8 * w})`));
  return [
    '// Written by assembly/bls446/field-source.mjs. Values are below 2p; addresses may be equal.',
    `const PAIR: u64 = ${LIMB_MASK | (LIMB_MASK << 32n)};`,
    `const BIAS: u64 = ${(1n << 32n) - (1n << LIMB_BITS)};`,
    ...constants(),
    define('o = a * b / R mod p', 'fpMultiply', PARAMETERS.two,
      loadLimbs('a'), loadLimbs('b'), montgomery(products('a', 'b'), store)),
    define('o = a * a / R mod p', 'fpSquare', PARAMETERS.one, loadLimbs('a'), doubled, montgomery(squares, store)),
    // below 2.9p before the subtraction
    define('o = (a * b + x * y) / R mod p', 'fpSumOfProducts', PARAMETERS.four,
      ...[...'abxy'].map((name) => loadLimbs(name)), montgomery(two, local('s')), subtractOnce(2n * P)),
    define('o = a * b / R mod p for pairs (c0, c1), that is c0 + c1 u with u * u = -1', 'fp2Multiply', PARAMETERS.two,
      complexProduct()),
    define('o = a + b', 'fpAdd', PARAMETERS.two, addition()),
    define('o = a - b', 'fpSubtract', PARAMETERS.two, subtraction()),
    define('o = a, in 0..p-1', 'fpReduce', PARAMETERS.one, ...reduceFrom('s'), subtractOnce(P)),
  ].join('\n\n');
}
