//! Encrypted values of the types that the tests compute with, under one roof.

use tfhe::prelude::*;
use tfhe::{
    CompressedCiphertextList, CompressedCiphertextListBuilder, CompressedSquashedNoiseCiphertextList,
    CompressedSquashedNoiseCiphertextListBuilder, FheBool, FheUint8, FheUint64, SquashedNoiseFheBool,
    SquashedNoiseFheUint,
};

use crate::Outcome;
use crate::results::{Format, Results};

#[derive(Clone)]
pub enum Value {
    Bool(FheBool),
    Uint8(FheUint8),
    Uint64(FheUint64),
}

/// A value and what it was computed from.
#[derive(Clone)]
pub struct Computed {
    /// Type of the operands.
    pub operands: &'static str,
    pub operation: &'static str,
    pub value: Value,
}

impl Computed {
    /// Of operands of its own type.
    pub fn new(operation: &'static str, value: Value) -> Self {
        Self::of(value.name(), operation, value)
    }

    pub fn of(operands: &'static str, operation: &'static str, value: Value) -> Self {
        Self { operands, operation, value }
    }
}

impl Value {
    /// The network's name of the type.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::Uint8(_) => "uint8",
            Self::Uint64(_) => "uint64",
        }
    }

    pub fn push_to(&self, list: &mut CompressedCiphertextListBuilder) {
        match self.clone() {
            Self::Bool(value) => list.push(value),
            Self::Uint8(value) => list.push(value),
            Self::Uint64(value) => list.push(value),
        };
    }

    /// Value `index` of the list, which has the type of this one.
    pub fn same_type_from(&self, list: &CompressedCiphertextList, index: usize) -> Outcome<Self> {
        let value = match self {
            Self::Bool(_) => list.get(index)?.map(Self::Bool),
            Self::Uint8(_) => list.get(index)?.map(Self::Uint8),
            Self::Uint64(_) => list.get(index)?.map(Self::Uint64),
        };
        value.ok_or_else(|| format!("compressed list: no value {index}").into())
    }

    pub fn squash_noise(&self) -> Outcome<Squashed> {
        Ok(match self {
            Self::Bool(value) => Squashed::Bool(value.squash_noise()?),
            Self::Uint8(value) => Squashed::Uint(value.squash_noise()?),
            Self::Uint64(value) => Squashed::Uint(value.squash_noise()?),
        })
    }

    /// Value `index` of the list, which has the type of this one.
    pub fn same_squashed_type_from(
        &self,
        list: &CompressedSquashedNoiseCiphertextList,
        index: usize,
    ) -> Outcome<Squashed> {
        let value = match self {
            Self::Bool(_) => list.get(index)?.map(Squashed::Bool),
            Self::Uint8(_) | Self::Uint64(_) => list.get(index)?.map(Squashed::Uint),
        };
        value.ok_or_else(|| format!("compressed list of squashed values: no value {index}").into())
    }
}

/// A value with 128-bit blocks and hardly any noise; integers of all widths have one type.
#[derive(Clone)]
pub enum Squashed {
    Bool(SquashedNoiseFheBool),
    Uint(SquashedNoiseFheUint),
}

impl Squashed {
    pub fn push_to(&self, list: &mut CompressedSquashedNoiseCiphertextListBuilder) {
        match self {
            Self::Bool(value) => list.push(value.clone()),
            Self::Uint(value) => list.push(value.clone()),
        };
    }

    pub fn write(&self, prefix: &str, of: &Computed, results: &mut Results) -> Outcome<()> {
        let name = of.file_name(prefix);
        match self {
            Self::Bool(value) => results.write(Format::Squashed, &name, value, std::slice::from_ref(of)),
            Self::Uint(value) => results.write(Format::Squashed, &name, value, std::slice::from_ref(of)),
        }
    }
}
