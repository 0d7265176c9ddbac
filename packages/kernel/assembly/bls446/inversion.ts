// 1/a mod p by the division steps of Bernstein and Yang ("Fast constant-time gcd computation and modular inversion",
// 2019): a gcd of p and a that looks at low bits only, with a fixed number of steps and no branch on a value. Steps are
// done in batches on one word; a batch is a matrix of small numbers that is then applied to the long ones. Twelve times
// faster than a^(p-2).
// Long numbers are 16 limbs of 28 bits in i64 words, all below 2^28 but the highest, which has the sign.
import { fpReduce, P_INVERSE, PRIME, R_SQUARED } from "../../build/bls446-field";
import { INVERSION_SCRATCH as SCRATCH } from "./scratch";

const LIMBS: usize = 16;
const BITS: u64 = 28;
const MASK: i64 = (1 << 28) - 1;
/** Of BITS steps each: Theorem 11.2 there asks for (49 * 446 + 57) / 17 = 1288 steps for 446 bits. */
const BATCHES: i32 = 46;

// f and g, of which the gcd is taken; d and e with d = f / a and e = g / a mod p, up to a constant.
const F: usize = SCRATCH, G: usize = F + 128, D: usize = G + 128, E: usize = D + 128, REDUCED: usize = E + 128;

/** o = R^2 / a mod p: the inverse in Montgomery form. 0 for 0. a is below 2p. */
export function fpInvert(o: usize, a: usize): void {
  fpReduce(REDUCED, a);
  for (let i: usize = 0; i < LIMBS; i++) {
    store<i64>(F + 8 * i, load<u32>(PRIME + 4 * i));
    store<i64>(G + 8 * i, load<u32>(REDUCED + 4 * i));
    store<i64>(D + 8 * i, 0);
    store<i64>(E + 8 * i, load<u32>(R_SQUARED + 4 * i));
  }
  let delta: i64 = 1;
  for (let batch = 0; batch < BATCHES; batch++) delta = divideSteps(delta);
  // g = 0 and f = 1 or -1 (p for a = 0, with d = 0)
  const sign = load<i64>(F + 8 * (LIMBS - 1)) >> 63;
  addPrimeIfNegative();
  for (let i: usize = 0; i < LIMBS; i++) store<i64>(D + 8 * i, (load<i64>(D + 8 * i) ^ sign) - sign);
  addPrimeIfNegative();
  for (let i: usize = 0; i < LIMBS; i++) store<u32>(o + 4 * i, u32(load<i64>(D + 8 * i)));
}

/**
 * BITS steps (delta, f, g) -> (1 - delta, g, (g - f) / 2) if delta > 0 and g is odd, else
 * (1 + delta, f, (g + (g mod 2) f) / 2), on all four numbers. Returns the new delta.
 */
function divideSteps(delta: i64): i64 {
  let f = load<i64>(F) | (load<i64>(F + 8) << BITS), g = load<i64>(G) | (load<i64>(G + 8) << BITS);
  let u: i64 = 1, v: i64 = 0, q: i64 = 0, r: i64 = 1; // 2^steps (f, g) = (u f + v g, q f + r g) of the beginning
  for (let step: u64 = 0; step < BITS; step++) {
    const odd = -(g & 1), swap = odd & (-delta >> 63);
    const f0 = f, u0 = u, v0 = v;
    f ^= (f ^ g) & swap; g ^= (g ^ -f0) & swap;
    u ^= (u ^ q) & swap; q ^= (q ^ -u0) & swap;
    v ^= (v ^ r) & swap; r ^= (r ^ -v0) & swap;
    delta = (delta ^ swap) - swap + 1;
    g = (g + (f & odd)) >> 1;
    q += u & odd; r += v & odd;
    u <<= 1; v <<= 1;
  }
  applyToPair(u, v, q, r);
  applyModPrime(u, v, q, r);
  return delta;
}

/** (f, g) = (u f + v g, q f + r g) / 2^BITS, exactly. */
function applyToPair(u: i64, v: i64, q: i64, r: i64): void {
  let carryF: i64 = 0, carryG: i64 = 0;
  for (let i: usize = 0; i < 8 * LIMBS; i += 8) {
    const f = load<i64>(F + i), g = load<i64>(G + i);
    carryF += u * f + v * g;
    carryG += q * f + r * g;
    if (i > 0) {
      store<i64>(F + i - 8, carryF & MASK);
      store<i64>(G + i - 8, carryG & MASK);
    }
    carryF >>= BITS; carryG >>= BITS;
  }
  store<i64>(F + 8 * (LIMBS - 1), carryF);
  store<i64>(G + 8 * (LIMBS - 1), carryG);
}

/**
 * (d, e) = (u d + v e, q d + r e) / 2^BITS mod p: multiples of p make the sums divisible. Both stay above -2p and below
 * p, since p is added to negative ones first.
 */
function applyModPrime(u: i64, v: i64, q: i64, r: i64): void {
  const signD = load<i64>(D + 8 * (LIMBS - 1)) >> 63, signE = load<i64>(E + 8 * (LIMBS - 1)) >> 63;
  let multipleD = (u & signD) + (v & signE), multipleE = (q & signD) + (r & signE);
  let carryD = u * load<i64>(D) + v * load<i64>(E), carryE = q * load<i64>(D) + r * load<i64>(E);
  multipleD -= (carryD * P_INVERSE + multipleD) & MASK;
  multipleE -= (carryE * P_INVERSE + multipleE) & MASK;
  carryD = (carryD + multipleD * load<u32>(PRIME)) >> BITS;
  carryE = (carryE + multipleE * load<u32>(PRIME)) >> BITS;
  for (let i: usize = 1; i < LIMBS; i++) {
    const d = load<i64>(D + 8 * i), e = load<i64>(E + 8 * i), p: i64 = load<u32>(PRIME + 4 * i);
    carryD += u * d + v * e + multipleD * p;
    carryE += q * d + r * e + multipleE * p;
    store<i64>(D + 8 * (i - 1), carryD & MASK);
    store<i64>(E + 8 * (i - 1), carryE & MASK);
    carryD >>= BITS; carryE >>= BITS;
  }
  store<i64>(D + 8 * (LIMBS - 1), carryD);
  store<i64>(E + 8 * (LIMBS - 1), carryE);
}

/** d += p if it is negative; limbs that were negated become digits again. */
function addPrimeIfNegative(): void {
  const sign = load<i64>(D + 8 * (LIMBS - 1)) >> 63;
  let carry: i64 = 0;
  for (let i: usize = 0; i < LIMBS; i++) {
    carry += load<i64>(D + 8 * i) + (<i64>load<u32>(PRIME + 4 * i) & sign);
    if (i == LIMBS - 1) store<i64>(D + 8 * i, carry);
    else store<i64>(D + 8 * i, carry & MASK);
    carry >>= BITS;
  }
}
