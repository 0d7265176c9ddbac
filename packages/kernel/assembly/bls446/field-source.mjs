// Writes the AssemblyScript source of arithmetic mod p and of the curve's constants; build.mjs puts it into build/.
// A field element is 16 limbs of 28 bits in u32 words, little-endian, 64 bytes, in Montgomery form with R = 2^448, and
// stays below 2p between operations (p < 0.24 R, so products of such values reduce to below 2p without a subtraction).
// Loops are unrolled because neither asc nor V8 does it; all but these inner loops is in the other files.
// No operation branches on a value or uses one as an address.

const LIMBS = 16;
const LIMB_BITS = 28n;
const LIMB_MASK = (1n << LIMB_BITS) - 1n;
const FR_WORDS = 10;

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

const prime = limbsOf(P);
const twicePrime = limbsOf(2n * P);
const store = (i, value) => `store<u32>(o, ${value}, ${4 * i});`;
const loads = (name, address) =>
  range(0, LIMBS).map((i) => `const ${name}${i}: u64 = load<u32>(${address}, ${4 * i});`).join(' ');
/** Limb pairs (i, k - i) of column k. */
const column = (k) => range(Math.max(0, k - LIMBS + 1), Math.min(k, LIMBS - 1) + 1).map((i) => [i, k - i]);
const products = (a, b) => (k) => column(k).map(([i, j]) => `${a}${i} * ${b}${j}`);
/** The same for a square: d = 2a, so that each mixed product is taken once. */
const squares = (k) =>
  column(k).filter(([i, j]) => i <= j).map(([i, j]) => (i === j ? `a${i} * a${j}` : `a${i} * d${j}`));

/**
 * Product and reduction in one pass over the 31 columns. A column holds at most 32 products below 2^56 of the two
 * operand pairs, 16 of the reduction and a carry: below 2^62. `emit(i, value)` takes limb i of the result.
 */
function montgomery(terms, emit) {
  const lines = ['let c: u64 = 0;'];
  for (const k of range(0, 2 * LIMBS - 1)) {
    const reductions = column(k).filter(([i]) => i < k || k >= LIMBS).map(([i, j]) => `m${i} * ${prime[j]}`);
    lines.push(`c += ${[...terms(k), ...reductions].join(' + ')};`);
    if (k < LIMBS) {
      lines.push(`const m${k} = (c * ${negativeInverse(P, LIMB_BITS)}) & MASK; c = (c + m${k} * ${prime[0]}) >> 28;`);
    } else {
      lines.push(emit(k - LIMBS, 'u32(c & MASK)'), 'c >>= 28;');
    }
  }
  lines.push(emit(LIMBS - 1, 'u32(c)'));
  return lines.join('\n  ');
}

/** o = s or s - modulus, whichever is in 0 .. modulus - 1, for limbs s0.. of a value below twice the modulus. */
function subtractOnce(modulus, { from = 's', emit = store } = {}) {
  const differences = range(0, LIMBS).map((i) => {
    const borrow = i === 0 ? '' : ` + (${from}u${i - 1} >> 28)`;
    return `const ${from}u${i}: i32 = i32(${from}${i}) - ${modulus[i]}${borrow};`;
  });
  const stores = range(0, LIMBS).map((i) => {
    const limb = i < LIMBS - 1 ? `u32(${from}u${i}) & MASK32` : `u32(${from}u${i})`;
    return emit(i, `(${from}${i} & ${from}keep) | (${limb} & ~${from}keep)`);
  });
  return [...differences, `const ${from}keep = u32(${from}u${LIMBS - 1} >> 31);`, ...stores].join('\n  ');
}

const local = (name) => (i, value) => `const ${name}${i}: u32 = ${value};`;

function addition() {
  const sums = range(0, LIMBS).map((i) => {
    const carry = i === 0 ? '' : ` + (t${i - 1} >> 28)`;
    const limb = i < LIMBS - 1 ? `t${i} & MASK32` : `t${i}`;
    return `const t${i} = load<u32>(a, ${4 * i}) + load<u32>(b, ${4 * i})${carry}; ${local('s')(i, limb)}`;
  });
  return `${sums.join('\n  ')}\n  ${subtractOnce(twicePrime)}`;
}

function subtraction() {
  const differences = range(0, LIMBS).map((i) => {
    const borrow = i === 0 ? '' : ` + (u${i - 1} >> 28)`;
    return `const u${i}: i32 = load<i32>(a, ${4 * i}) - load<i32>(b, ${4 * i})${borrow};`;
  });
  const sums = range(0, LIMBS).map((i) => {
    const carry = i === 0 ? '' : ` + (t${i - 1} >> 28)`;
    const last = i === LIMBS - 1;
    const difference = last ? `u32(u${i})` : `(u32(u${i}) & MASK32)`;
    const sum = `const t${i} = ${difference} + (${twicePrime[i]} & negative)${carry};`;
    return `${sum} ${store(i, last ? `t${i}` : `t${i} & MASK32`)}`;
  });
  return [...differences, `const negative = u32(u${LIMBS - 1} >> 31);`, ...sums].join('\n  ');
}

const table = (name, words) => `export const ${name}: usize = memory.data<u32>([${words.join(', ')}], 16);`;
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
    table('P_MINUS_2', limbsOf(P - 2n)),
    table('FR_ORDER', limbsOf(R, FR_WORDS, 32n)),
    table('FR_SQUARE', limbsOf((1n << 640n) % R, FR_WORDS, 32n)),
    `export const FR_NEGATIVE_INVERSE: u32 = ${negativeInverse(R, 32n)};`,
    table('X_SQUARED', limbsOf(X * X, 6, 32n)),
    table('X_ABSOLUTE', limbsOf(-X, 6, 32n)),
  ];
}

const PARAMETERS = {
  square: 'a: usize',
  addition: 'a: usize, b: usize',
  pairs: 'a: usize, b: usize, x: usize, y: usize',
  four: 'a: usize, b: usize, x: usize, y: usize, d: usize, e: usize, f: usize, g: usize',
};

/** The text of the module. */
export function fieldSource() {
  const doubled = range(1, LIMBS).map((i) => `const d${i} = a${i} << 1;`).join(' ');
  const two = (k) => [...products('a', 'b')(k), ...products('x', 'y')(k)];
  const four = (k) => [...two(k), ...products('d', 'e')(k), ...products('f', 'g')(k)];
  const define = (comment, name, parameters, ...body) =>
    `/** ${comment} */\nexport function ${name}(o: usize, ${parameters}): void {\n  ${body.join('\n  ')}\n}`;
  return [
    '// Written by assembly/bls446/field-source.mjs; addresses may be equal.',
    `const MASK: u64 = ${LIMB_MASK};\nconst MASK32: u32 = ${LIMB_MASK};`,
    ...constants(),
    define('o = a * b / R mod p', 'fpMultiply', PARAMETERS.addition,
      loads('a', 'a'), loads('b', 'b'), montgomery(products('a', 'b'), store)),
    define('o = a * a / R mod p', 'fpSquare', PARAMETERS.square, loads('a', 'a'), doubled, montgomery(squares, store)),
    // two products of values below 2p reduce to below 2.9p
    define('o = (a * b + x * y) / R mod p', 'fpSumOfProducts', PARAMETERS.pairs,
      ...['a', 'b', 'x', 'y'].map((name) => loads(name, name)), montgomery(two, local('s')), subtractOnce(twicePrime)),
    // four products reduce to below 4.9p
    define('o = (a * b + x * y + d * e + f * g) / R mod p', 'fpSumOfFour', PARAMETERS.four,
      ...[...'abxydefg'].map((name) => loads(name, name)), montgomery(four, local('r')),
      subtractOnce(twicePrime, { from: 'r', emit: local('s') }), subtractOnce(twicePrime)),
    define('o = a + b', 'fpAdd', PARAMETERS.addition, addition()),
    define('o = a - b', 'fpSubtract', PARAMETERS.addition, subtraction()),
    define('o = a, in 0..p-1', 'fpReduce', PARAMETERS.square,
      ...range(0, LIMBS).map((i) => local('s')(i, `load<u32>(a, ${4 * i})`)), subtractOnce(prime)),
  ].join('\n\n');
}
