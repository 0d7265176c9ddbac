//! The files that the program leaves, and their table of contents.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use serde::Serialize;
use tfhe::Versionize;
use tfhe::named::Named;
use tfhe::safe_serialization::safe_serialize;

use crate::values::{Computed, Value};
use crate::{Outcome, SIZE_LIMIT};

/// The network's names of the objects that it decrypts.
#[derive(Clone, Copy)]
pub enum Format {
    /// FheUint or FheBool.
    Fhe,
    CompressedList,
    /// SquashedNoiseFheUint or SquashedNoiseFheBool.
    Squashed,
    CompressedSquashedList,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Fhe => "fhe",
            Self::CompressedList => "compressed-list",
            Self::Squashed => "squashed",
            Self::CompressedSquashedList => "compressed-squashed-list",
        }
    }
}

pub struct Results {
    directory: PathBuf,
    random_seed: u128,
    /// As JSON.
    files: Vec<String>,
    /// As JSON.
    skipped: Vec<String>,
}

impl Computed {
    pub fn file_name(&self, prefix: &str) -> String {
        format!("{prefix}{}-{}", self.operation, self.operands)
    }
}

impl Results {
    pub fn new(directory: PathBuf, random_seed: u128) -> Self {
        Self { directory, random_seed, files: Vec::new(), skipped: Vec::new() }
    }

    /// One file per value, in format `fhe`.
    pub fn write_all(&mut self, prefix: &str, computed: &[Computed]) -> Outcome<()> {
        for item in computed {
            let name = item.file_name(prefix);
            let contents = std::slice::from_ref(item);
            match &item.value {
                Value::Bool(value) => self.write(Format::Fhe, &name, value, contents)?,
                Value::Uint8(value) => self.write(Format::Fhe, &name, value, contents)?,
                Value::Uint64(value) => self.write(Format::Fhe, &name, value, contents)?,
            }
        }
        Ok(())
    }

    /// One object, which holds `contents`.
    pub fn write<T: Serialize + Versionize + Named>(
        &mut self,
        format: Format,
        name: &str,
        object: &T,
        contents: &[Computed],
    ) -> Outcome<()> {
        let file = format!("{name}.bin");
        let mut writer = BufWriter::new(File::create(self.directory.join(&file))?);
        safe_serialize(object, &mut writer, SIZE_LIMIT)?;
        writer.flush()?;
        let values: Vec<String> = contents
            .iter()
            .map(|Computed { operands, operation, value }| {
                let r#type = value.name();
                format!(r#"{{"operation":"{operation}","operands":"{operands}","type":"{type}"}}"#)
            })
            .collect();
        let format = format.name();
        self.files.push(format!(r#"{{"file":"{file}","format":"{format}","values":[{}]}}"#, values.join(",")));
        Ok(())
    }

    /// Notes that something is not made because the key set lacks a part.
    pub fn skip(&mut self, what: &str, part: &str) -> Outcome<()> {
        self.skipped.push(format!(r#""no {what}: the key set has no {part}""#));
        Ok(())
    }

    /// Writes `results.json`.
    pub fn write_contents(&self) -> Outcome<()> {
        let contents = format!(
            "{{\n\"randomSeed\": \"{}\",\n\"skipped\": [\n{}\n],\n\"files\": [\n{}\n]\n}}\n",
            self.random_seed,
            self.skipped.join(",\n"),
            self.files.join(",\n"),
        );
        Ok(fs::write(self.directory.join("results.json"), contents)?)
    }
}
