/**
 * Contracts that answer `isValidSignature(bytes32,bytes)`, written in the instructions of the EVM: no compiler is
 * needed for so few.
 */
import { concat, type Hex, numberToHex } from 'viem';

const OPCODE = {
  eq: '0x14',
  mul: '0x02',
  shl: '0x1b',
  shr: '0x1c',
  calldataload: '0x35',
  calldatacopy: '0x37',
  mload: '0x51',
  mstore: '0x52',
  jump: '0x56',
  gas: '0x5a',
  jumpdest: '0x5b',
  return: '0xf3',
  staticcall: '0xfa',
  revert: '0xfd',
} as const;

/** Puts a number of that many bytes on the stack. */
const push = (value: number | bigint, size = 1): Hex =>
  concat([numberToHex(0x5f + size, { size: 1 }), numberToHex(value, { size })]);

const PUSH_MAGIC = push(0x1626ba7e, 4);
const RETURN_WORD = concat([push(0), OPCODE.mstore, push(32), push(0), OPCODE.return]);

/** Where the hash and the 65 bytes of a signature stand in the call data. */
const CALL = { hash: 4, signature: 100, v: 164 } as const;
const ECRECOVER = 1;

/** Says yes to signatures by the key of `owner`, as a wallet of one person does. */
export function walletOf(owner: Hex): Hex {
  return concat([
    ...[push(32), push(CALL.hash), push(0), OPCODE.calldatacopy],
    ...[push(CALL.v), OPCODE.calldataload, push(248), OPCODE.shr, push(32), OPCODE.mstore],
    ...[push(64), push(CALL.signature), push(64), OPCODE.calldatacopy],
    ...[push(32), push(128), push(128), push(0), push(ECRECOVER), OPCODE.gas, OPCODE.staticcall],
    ...[push(128), OPCODE.mload, push(BigInt(owner), 20), OPCODE.eq],
    ...[PUSH_MAGIC, OPCODE.mul, push(224), OPCODE.shl, RETURN_WORD],
  ]);
}

/** Has signed everything. */
export const CREDULOUS = concat([PUSH_MAGIC, push(224), OPCODE.shl, RETURN_WORD]);

/** What a contract may say instead of yes. */
export const UNWILLING: Readonly<Record<string, Hex>> = {
  'says 0': concat([push(0), RETURN_WORD]),
  'says true': concat([push(1), RETURN_WORD]),
  'has the magic value at the wrong end': concat([PUSH_MAGIC, RETURN_WORD]),
  'says yes and more': concat([
    PUSH_MAGIC,
    push(224),
    OPCODE.shl,
    push(0),
    OPCODE.mstore,
    push(64),
    push(0),
    OPCODE.return,
  ]),
  'answers half a word': concat([push(4), push(0), OPCODE.return]),
  'answers a megabyte': concat([push(2 ** 20, 3), push(0), OPCODE.return]),
  reverts: concat([push(0), push(0), OPCODE.revert]),
  'never ends': concat([OPCODE.jumpdest, push(0), OPCODE.jump]),
};
