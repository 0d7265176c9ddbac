//! Loads a key set, and checks on the way what tfhe-rs can tell about one without any secret key.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufWriter, Error, Result as IoResult, Write};
use std::path::Path;

use serde::Serialize;
use tfhe::named::Named;
use tfhe::prelude::*;
use tfhe::safe_serialization::{safe_deserialize, safe_serialize};
use tfhe::shortint::parameters::meta::MetaParameters;
use tfhe::shortint::parameters::v1_7::meta::cpu::V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128;
use tfhe::xof_key_set::CompressedXofKeySet;
use tfhe::{Config, ServerKey, Versionize};

use crate::{Outcome, SIZE_LIMIT};

/// The server key of the file, if
/// * tfhe-rs writes what it has read byte for byte;
/// * a default key set conforms to tfhe-rs's own constants (those of the Test set are not in tfhe-rs);
/// * masks are the same, whether drawn from the one stream in order or by the seed and place that each part names.
pub fn load_server_key(file: &Path, parameters: &str) -> Outcome<ServerKey> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let key_set: CompressedXofKeySet = safe_deserialize(bytes.as_slice(), SIZE_LIMIT)?;
    require_same_bytes(&key_set, &bytes)?;
    drop(bytes);
    if parameters == "default" && !key_set.is_conformant(&default_config(&key_set)) {
        return Err("the key set does not conform to the default parameters of tfhe-rs".into());
    }
    // One after the other: an expanded server key has gigabytes.
    let streamed = {
        let (public_key, server_key) = key_set.decompress().into_raw_parts();
        (digest(&public_key)?, digest(&server_key)?)
    };
    let (_, public_key, server_key) = key_set.into_raw_parts();
    let server_key = server_key.decompress();
    if streamed != (digest(&public_key.decompress())?, digest(&server_key)?) {
        return Err("parts of the key set name other masks than the stream has in their place".into());
    }
    Ok(server_key)
}

/// What tfhe-rs itself calls the default parameters, without the parts that the key set does without.
fn default_config(key_set: &CompressedXofKeySet) -> Config {
    let whole = V1_7_META_PARAM_CPU_2_2_KS_PBS_PKE_TO_SMALL_ZKV2_TUNIFORM_2M128;
    let mut squashing = whole.noise_squashing_parameters.filter(|_| key_set.has_noise_squashing_key());
    if let Some(parts) = squashing.as_mut().filter(|_| !key_set.has_noise_squashing_compression_key()) {
        parts.compression_parameters = None;
    }
    let present = MetaParameters {
        compression_parameters: whole.compression_parameters.filter(|_| key_set.has_compression_key()),
        noise_squashing_parameters: squashing,
        rerand_configuration: whole.rerand_configuration.filter(|_| key_set.has_re_randomization_key()),
        ..whole
    };
    present.into()
}

fn require_same_bytes(key_set: &CompressedXofKeySet, bytes: &[u8]) -> Outcome<()> {
    let mut rest = Expected(bytes);
    safe_serialize(key_set, &mut rest, SIZE_LIMIT)?;
    if !rest.0.is_empty() {
        return Err(format!("key set: {} bytes at the end that tfhe-rs does not write", rest.0.len()).into());
    }
    Ok(())
}

/// Takes these bytes and no others.
struct Expected<'a>(&'a [u8]);

impl Write for Expected<'_> {
    fn write(&mut self, written: &[u8]) -> IoResult<usize> {
        self.0 = self.0.strip_prefix(written).ok_or_else(|| {
            Error::other(format!("tfhe-rs writes it differently, {} bytes before its end", self.0.len()))
        })?;
        Ok(written.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

/// Of the serialised object; tells keys apart that differ by accident.
fn digest<T: Serialize + Versionize + Named>(object: &T) -> Outcome<u64> {
    let mut writer = BufWriter::with_capacity(1 << 16, Digest(DefaultHasher::new()));
    safe_serialize(object, &mut writer, SIZE_LIMIT)?;
    writer.flush()?;
    Ok(writer.get_ref().0.finish())
}

struct Digest(DefaultHasher);

impl Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}
