/**
 * Zama's own client reads what we write: node-tkms decrypts responses of our parties, with any t of them missing or
 * lying, and our reader gets the same from the same bytes. Also where the other client stops although only one party
 * lies, ours goes on.
 */
import fc from 'fast-check';
import tkms from 'node-tkms';
import { getAddress } from 'viem';
import { describe, expect, test } from 'vitest';
import type { UserKeyPair } from '../src/encryption-key.ts';
import { WireError } from '../src/error.ts';
import type { AnsweredRequest, UserDecryptionResponse } from '../src/response.ts';
import { combineResponses, createResponseOpener, type OpenedResponse } from '../src/user-decryption.ts';
import {
  ALL_TYPES,
  type Committee,
  createCommittee,
  type DealtValue,
  DOMAIN,
  deal,
  type Lie,
  type PlainValue,
  random,
  respond,
} from './support/committee.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
];
const TWO_VALUES = [ALL_TYPES[0]!, ALL_TYPES[4]!];

interface Scene {
  readonly committee: Committee;
  readonly request: AnsweredRequest;
  readonly keys: UserKeyPair;
  readonly foreignKeys: { readonly secret: tkms.PrivateEncKeyMlKem512; readonly public: tkms.PublicEncKeyMlKem512 };
  readonly plain: readonly PlainValue[];
  readonly values: readonly DealtValue[];
  /** The answer of a party; made once. */
  answer(party: number, lie?: Lie): Promise<UserDecryptionResponse>;
  /** Our reader's view of it; undefined when refused. */
  open(party: number, answer: UserDecryptionResponse): Promise<OpenedResponse | undefined>;
}

function createScene({ n, t }: { n: number; t: number }, plain: readonly PlainValue[], extraData = 0): Scene {
  const committee = createCommittee(n, t);
  const secret = tkms.ml_kem_pke_keygen();
  const encryptionKey = tkms.ml_kem_pke_pk_to_u8vec(tkms.ml_kem_pke_get_pk(secret));
  const decapsulationKey = tkms.ml_kem_pke_sk_to_u8vec(secret).slice(8);
  const userAddress = getAddress(`0x${hex(random(20))}`);
  const request = { domain: DOMAIN, encryptionKey, userAddress, extraData: new Uint8Array(extraData) };
  const values = plain.map((value) => deal(value, n, t));
  const keys = { encryptionKey, decapsulationKey };
  const made = new Map<string, Promise<UserDecryptionResponse>>();
  return {
    committee,
    request,
    keys,
    foreignKeys: { secret, public: tkms.ml_kem_pke_get_pk(secret) },
    plain,
    values,
    answer(party, lie) {
      const key = `${party} ${lie}`;
      const answer = made.get(key) ?? respond(committee, request, values, { party, lie });
      made.set(key, answer);
      return answer;
    },
    open: createOpener({ committee, request, keys, values }),
  };
}

/** [type, value] pairs as node-tkms decrypts them. */
function readForeign(scene: Scene, answers: readonly UserDecryptionResponse[]): [number, bigint][] {
  const { committee, request, foreignKeys, values } = scene;
  const addresses = committee.signers.map(({ address }, index) => tkms.new_server_id_addr(index + 1, address));
  const client = tkms.new_client(addresses, request.userAddress, 'default');
  const chainId = Buffer.from(BigInt(DOMAIN.chainId).toString(16).padStart(64, '0'), 'hex');
  const domain = {
    name: 'Decryption',
    version: '1',
    chain_id: [...chainId],
    verifying_contract: DOMAIN.verifyingContract,
  };
  const asked = {
    signature: undefined,
    client_address: request.userAddress,
    enc_key: hex(request.encryptionKey),
    ciphertext_handles: values.map(({ handle }) => hex(handle)),
    eip712_verifying_contract: DOMAIN.verifyingContract,
  };
  const given = answers.map(({ payload, signature }) => ({ payload: hex(payload), signature: hex(signature) }));
  const { public: publicKey, secret } = foreignKeys;
  const read = tkms.process_user_decryption_resp_from_js(client, asked, domain, given, publicKey, secret, true);
  return read.map(({ fhe_type, bytes }) => [fhe_type, BigInt(`0x${hex(bytes)}`)]);
}

/** What our reader makes of the answers of these parties, and whom it finds wrong. */
async function readOwn(scene: Scene, answers: ReadonlyMap<number, UserDecryptionResponse>) {
  const opened: OpenedResponse[] = [];
  const refused: number[] = [];
  for (const [party, answer] of answers) {
    const response = await scene.open(party, answer);
    if (response) opened.push(response);
    else refused.push(party);
  }
  const combined = combineResponses(opened, scene.committee.t);
  const read = combined?.values.map(({ fheType, value }): [number, bigint] => [fheType, value]);
  return { read, wrong: [...refused, ...(combined?.wrong ?? [])].sort((left, right) => left - right) };
}

/** Opens every answer once: undefined when it is refused. */
function createOpener({ committee, request, keys, values }: Pick<Scene, 'committee' | 'request' | 'keys' | 'values'>) {
  const signers = committee.signers.map(({ address }) => address);
  const expected = { ...request, handles: values.map(({ handle }) => handle), signers, threshold: committee.t };
  const opener = createResponseOpener(expected, keys);
  const opened = new Map<UserDecryptionResponse, OpenedResponse | undefined>();
  return async (party: number, answer: UserDecryptionResponse): Promise<OpenedResponse | undefined> => {
    if (!opened.has(answer)) {
      const response = await opener.open(party, answer).catch((error: unknown) => {
        if (!(error instanceof WireError)) throw error;
      });
      opened.set(answer, response ?? undefined);
    }
    return opened.get(answer);
  };
}

async function answersOf(scene: Scene, lies: ReadonlyMap<number, Lie | 'absent'>) {
  const answers = new Map<number, UserDecryptionResponse>();
  for (let party = 1; party <= scene.committee.n; party++) {
    const lie = lies.get(party);
    if (lie !== 'absent') answers.set(party, await scene.answer(party, lie));
  }
  return answers;
}

const wanted = ({ plain }: Scene) => plain.map(({ fheType, value }) => [fheType, value]);

/** All sets of `size` parties of 1..n. */
function subsets(n: number, size: number): number[][] {
  if (size === 0) return [[]];
  return Array.from({ length: n }, (_, index) => index + 1).flatMap((first) =>
    subsets(n, size - 1).flatMap((rest) => (rest.every((party) => party > first) ? [[first, ...rest]] : [])),
  );
}

/** Sets of t neighbours: every party is in one of them. */
function neighbours(n: number, t: number): number[][] {
  const sets = Array.from({ length: Math.ceil(n / t) }, (_, k) => {
    return Array.from({ length: t }, (_, j) => ((k * t + j) % n) + 1);
  });
  return sets.map((set) => set.sort((left, right) => left - right));
}

describe.each(SIZES)('n=$n, t=$t', ({ n, t }) => {
  test('all eight types, all parties', async () => {
    const scene = createScene({ n, t }, ALL_TYPES);
    const answers = await answersOf(scene, new Map());
    expect(readForeign(scene, [...answers.values()])).toEqual(wanted(scene));
    expect(await readOwn(scene, answers)).toEqual({ read: wanted(scene), wrong: [] });
  });

  test('integers with packing factor 1, zeros, and a request whose extraData is 00', async () => {
    const plain = ALL_TYPES.map((value) => ({ ...value, packingFactor: 1 as const }));
    const scene = createScene({ n, t }, [...plain, { fheType: 5, bits: 64, value: 0n }], 1);
    const answers = await answersOf(scene, new Map());
    expect(readForeign(scene, [...answers.values()])).toEqual(wanted(scene));
    expect(await readOwn(scene, answers)).toEqual({ read: wanted(scene), wrong: [] });
  });

  test('any t parties missing', async () => {
    const scene = createScene({ n, t }, TWO_VALUES);
    for (const missing of n < 13 ? subsets(n, t) : neighbours(n, t)) {
      const answers = await answersOf(scene, new Map(missing.map((party) => [party, 'absent'])));
      expect(readForeign(scene, [...answers.values()])).toEqual(wanted(scene));
      expect(await readOwn(scene, answers)).toEqual({ read: wanted(scene), wrong: [] });
    }
  });

  test.each([
    'random shares',
    'shares off in the highest bit',
    'fewer elements',
    'another degree',
    'another linker',
    'another party',
    'another packing factor',
    'a signature of somebody else',
  ] as const)('any t parties with %s', async (lie) => {
    const scene = createScene({ n, t }, TWO_VALUES);
    for (const liars of neighbours(n, t)) {
      const answers = await answersOf(scene, new Map(liars.map((party) => [party, lie])));
      expect(readForeign(scene, [...answers.values()])).toEqual(wanted(scene));
      expect(await readOwn(scene, answers)).toEqual({ read: wanted(scene), wrong: liars });
    }
  });

  test.each([
    'a signcryption that does not decrypt',
    'three bytes for a signcryption',
    'a share that does not decode',
    'more elements',
  ] as const)('one party with %s stops the other client, t of them do not stop ours', async (lie) => {
    const scene = createScene({ n, t }, TWO_VALUES);
    const one = await answersOf(scene, new Map([[1, lie]]));
    expect(() => readForeign(scene, [...one.values()])).toThrow();
    for (const liars of neighbours(n, t)) {
      const answers = await answersOf(scene, new Map(liars.map((party) => [party, lie])));
      expect(await readOwn(scene, answers)).toEqual({ read: wanted(scene), wrong: liars });
    }
  });
});

test('n=7, t=2: any two faults of different kinds, in any order of arrival', async () => {
  const scene = createScene({ n: 7, t: 2 }, TWO_VALUES);
  const fault = fc.constantFrom<Lie | 'absent'>(
    'absent',
    'random shares',
    'a share that does not decode',
    'another party',
  );
  const parties = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 });
  await fc.assert(
    fc.asyncProperty(parties, fault, fault, async (order, one, other) => {
      const faults = new Map([
        [order[0]!, one],
        [order[1]!, other],
      ]);
      const answers = await answersOf(scene, faults);
      const arrived = new Map(
        order.flatMap((party) => (answers.has(party) ? [[party, answers.get(party)!] as const] : [])),
      );
      const wrong = [...faults].flatMap(([party, kind]) => (kind === 'absent' ? [] : [party])).sort();
      expect(await readOwn(scene, arrived)).toEqual({ read: wanted(scene), wrong });
    }),
    { numRuns: 30 },
  );
});

test('n=4, t=1: three answers of which one lies are not enough, and nothing is read', async () => {
  const scene = createScene({ n: 4, t: 1 }, TWO_VALUES);
  const answers = await answersOf(
    scene,
    new Map([
      [1, 'absent'],
      [3, 'random shares'],
    ]),
  );
  expect((await readOwn(scene, answers)).read).toBeUndefined();
  expect(() => readForeign(scene, [...answers.values()])).toThrow();
});
