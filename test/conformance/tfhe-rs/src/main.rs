//! A coprocessor for the tests: tfhe-rs itself loads a key set of the network and computes with it on values that were
//! encrypted under its public key. The results are left for the network to decrypt.
//!
//! `coprocessor DIRECTORY PARAMETERS`. DIRECTORY holds
//! * `key-set.bin`: a CompressedXofKeySet;
//! * `inputs.bin`: a CompactCiphertextList of bool, bool, uint8, uint8, uint64, uint64.
//!
//! The program writes one safe-serialised file per result, and `results.json`, which says what each of them is and which
//! parts of the key set there were not: of these it makes nothing. PARAMETERS is `default` or `test`.

mod load;
mod results;
mod values;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use load::load_server_key;
use results::{Format, Results};
use tfhe::prelude::*;
use tfhe::safe_serialization::safe_deserialize;
use tfhe::{
    CompactCiphertextList, CompressedCiphertextListBuilder, CompressedSquashedNoiseCiphertextListBuilder, FheBool,
    FheUint, FheUint8, FheUint64, FheUintId, ReRandomizationContext, ReRandomizationMode, Seed, ServerKey,
    set_server_key,
};
use values::{Computed, Value};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Above the largest key set, 0.5 GB.
pub const SIZE_LIMIT: u64 = 1 << 32;
/// Of the pseudo-random values; `results.json` tells it.
const RANDOM_SEED: u128 = 42;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, parameters] = arguments.as_slice() else {
        return Err("usage: coprocessor DIRECTORY default|test".into());
    };
    let directory = PathBuf::from(directory);
    let started = Instant::now();
    let done = |what: &str| eprintln!("{:>8.1} s  {what}", started.elapsed().as_secs_f64());

    let server_key = load_server_key(&directory.join("key-set.bin"), parameters)?;
    set_server_key(server_key.clone());
    done("key set loaded");

    let mut results = Results::new(directory.clone(), RANDOM_SEED);
    let inputs = expand(&fs::read(directory.join("inputs.bin"))?)?;
    results.write_all("", &inputs)?;
    let computed = compute(&inputs)?;
    results.write_all("", &computed)?;
    done("computed");
    results.write_all("", &[unfinished_sum(&server_key, &inputs)?])?;
    with_rerandomization(&server_key, &inputs, &mut results)?;
    with_random_values(&server_key, &mut results)?;
    with_compression(&server_key, &computed, &mut results)?;
    done("compressed and decompressed");
    with_noise_squashing(&server_key, &computed, &mut results)?;
    done("noise squashed");
    results.write_contents()
}

/// Casts the inputs from the key of the compact public key to the key that is computed with.
fn expand(file: &[u8]) -> Outcome<Vec<Computed>> {
    let list: CompactCiphertextList = safe_deserialize(file, SIZE_LIMIT)?;
    let expander = list.expand()?;
    let absent = |index: usize| format!("inputs.bin: no value {index}");
    let boolean = |index| -> Outcome<Value> { Ok(Value::Bool(expander.get(index)?.ok_or_else(|| absent(index))?)) };
    let uint8 = |index| -> Outcome<Value> { Ok(Value::Uint8(expander.get(index)?.ok_or_else(|| absent(index))?)) };
    let uint64 = |index| -> Outcome<Value> { Ok(Value::Uint64(expander.get(index)?.ok_or_else(|| absent(index))?)) };
    Ok(vec![
        Computed::new("first", boolean(0)?),
        Computed::new("second", boolean(1)?),
        Computed::new("first", uint8(2)?),
        Computed::new("second", uint8(3)?),
        Computed::new("first", uint64(4)?),
        Computed::new("second", uint64(5)?),
    ])
}

fn compute(inputs: &[Computed]) -> Outcome<Vec<Computed>> {
    let mut computed = Vec::new();
    for pair in inputs.chunks(2) {
        match (&pair[0].value, &pair[1].value) {
            (Value::Bool(a), Value::Bool(b)) => {
                computed.extend([Computed::new("and", Value::Bool(a & b)), Computed::new("not", Value::Bool(!a))])
            }
            (Value::Uint8(a), Value::Uint8(b)) => computed.extend(arithmetic(a, b, Value::Uint8)),
            (Value::Uint64(a), Value::Uint64(b)) => computed.extend(arithmetic(a, b, Value::Uint64)),
            _ => return Err("inputs.bin: want pairs of one type".into()),
        }
    }
    Ok(computed)
}

fn arithmetic<Id: FheUintId>(a: &FheUint<Id>, b: &FheUint<Id>, value: fn(FheUint<Id>) -> Value) -> Vec<Computed> {
    let less = a.lt(b);
    let operands = value(a.clone()).name();
    vec![
        Computed::new("sum", value(a + b)),
        Computed::new("product", value(a * b)),
        Computed::new("select", value(less.select(a, b))),
        Computed::of(operands, "less", Value::Bool(less)),
        Computed::of(operands, "equal", Value::Bool(a.eq(b))),
        Computed::of(operands, "unequal", Value::Bool(a.ne(b))),
    ]
}

/// Blockwise, carries left where they are: the noise of two values, which the network does not decrypt.
fn unfinished_sum(key: &ServerKey, inputs: &[Computed]) -> Outcome<Computed> {
    let [Value::Uint8(a), Value::Uint8(b)] = [&inputs[2].value, &inputs[3].value] else {
        return Err("inputs.bin: want uint8 in the middle".into());
    };
    let (mut sum, id, tag, metadata) = a.clone().into_raw_parts();
    let integers: &tfhe::integer::ServerKey = key.as_ref();
    integers.unchecked_add_assign(&mut sum, &b.clone().into_raw_parts().0);
    Ok(Computed::new("unfinished-sum", Value::Uint8(FheUint8::from_raw_parts(sum, id, tag, metadata))))
}

/// The first inputs, added to an encryption of zero under the re-randomisation key.
fn with_rerandomization(key: &ServerKey, inputs: &[Computed], results: &mut Results) -> Outcome<()> {
    if !key.has_re_randomization_key() {
        return results.skip("re-randomised values", "re-randomisation key");
    }
    for input in inputs.iter().filter(|input| input.operation == "first") {
        let mut value = input.value.clone();
        let mut context = ReRandomizationContext::new(*b"TFHE_Rrd", [b"first".as_slice()], *b"TFHE_Enc");
        let mode = ReRandomizationMode::UseAvailableMode;
        match &mut value {
            Value::Bool(a) => {
                context.add_ciphertext(a);
                a.re_randomize(mode, context.finalize().next_seed()?)?;
            }
            Value::Uint8(a) => {
                context.add_ciphertext(a);
                a.re_randomize(mode, context.finalize().next_seed()?)?;
            }
            Value::Uint64(a) => {
                context.add_ciphertext(a);
                a.re_randomize(mode, context.finalize().next_seed()?)?;
            }
        }
        results.write_all("rerandomized-", &[Computed::new("first", value)])?;
    }
    Ok(())
}

/// Without a key of its own for it tfhe-rs would take the bootstrapping key, which is no test of ours.
fn with_random_values(key: &ServerKey, results: &mut Results) -> Outcome<()> {
    if !key.has_oprf_key() {
        return results.skip("pseudo-random values", "OPRF key");
    }
    let seed = Seed(RANDOM_SEED);
    results.write_all(
        "",
        &[
            Computed::new("random", Value::Bool(FheBool::generate_oblivious_pseudo_random(seed))),
            Computed::new("random", Value::Uint8(FheUint8::generate_oblivious_pseudo_random(seed))),
            Computed::new("random", Value::Uint64(FheUint64::generate_oblivious_pseudo_random(seed))),
        ],
    )
}

/// So many values that a list of them fills more than one GLWE ciphertext.
fn repeated<T: Clone>(items: &[T]) -> Vec<T> {
    [items, items, items].concat()
}

/// One list of all values, and the values as they come out of it again.
fn with_compression(key: &ServerKey, computed: &[Computed], results: &mut Results) -> Outcome<()> {
    if !key.has_compression_key() || !key.has_decompression_key() {
        return results.skip("compressed lists", "compression key");
    }
    let mut builder = CompressedCiphertextListBuilder::new();
    let contents = repeated(computed);
    for item in &contents {
        item.value.push_to(&mut builder);
    }
    let list = builder.build()?;
    results.write(Format::CompressedList, "list", &list, &contents)?;
    let last = contents.len() - computed.len();
    for (index, item) in contents.iter().enumerate().skip(last) {
        let value = item.value.same_type_from(&list, index)?;
        results.write_all("decompressed-", &[Computed::of(item.operands, item.operation, value)])?;
    }
    Ok(())
}

/// Values without noise, one list of them, and the values as they come out of it again.
fn with_noise_squashing(key: &ServerKey, computed: &[Computed], results: &mut Results) -> Outcome<()> {
    if !key.has_noise_squashing_key() {
        return results.skip("noise-squashed values", "noise squashing key");
    }
    let mut squashed_items = Vec::new();
    for item in computed {
        let squashed = item.value.squash_noise()?;
        squashed.write("squashed-", item, results)?;
        squashed_items.push(squashed);
    }
    if !key.has_noise_squashing_compression_key() {
        return results.skip("compressed lists of noise-squashed values", "noise squashing compression key");
    }
    let mut builder = CompressedSquashedNoiseCiphertextListBuilder::new();
    for squashed in repeated(&squashed_items) {
        squashed.push_to(&mut builder);
    }
    let list = builder.build()?;
    let contents = repeated(computed);
    results.write(Format::CompressedSquashedList, "squashed-list", &list, &contents)?;
    let last = contents.len() - computed.len();
    for (index, item) in contents.iter().enumerate().skip(last) {
        item.value.same_squashed_type_from(&list, index)?.write("unpacked-", item, results)?;
    }
    Ok(())
}
