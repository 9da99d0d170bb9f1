//! Checksums as S3 defines them: of a body, of a whole object, of a list of parts.
//!
//! Full-object values of multipart uploads are combined from the parts' values, so no body is read twice.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crc_fast::CrcAlgorithm;
use s3s::crypto::{Checksum as _, Md5, Sha1, Sha256};

/// A checksum algorithm that S3 accepts for objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] =
        [Self::Crc32, Self::Crc32c, Self::Crc64nvme, Self::Sha1, Self::Sha256];

    /// Returns the name as in `x-amz-checksum-algorithm`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// Returns the header or trailer that carries a value.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn from_header(header: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.header().eq_ignore_ascii_case(header.trim()))
    }

    /// Tells whether text is a value of this algorithm: base64 of the right number of bytes.
    pub(crate) fn accepts(self, value: &str) -> bool {
        BASE64.decode(value).is_ok_and(|bytes| bytes.len() == self.value_bytes())
    }

    /// Returns the kind that an upload has when it names the algorithm only.
    pub(crate) fn default_kind(self) -> Kind {
        if self == Self::Crc64nvme { Kind::FullObject } else { Kind::Composite }
    }

    /// Tells whether S3 offers this kind for multipart uploads.
    pub(crate) fn allows(self, kind: Kind) -> bool {
        match kind {
            Kind::FullObject => self.crc().is_some(),
            Kind::Composite => self != Self::Crc64nvme,
        }
    }

    fn value_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn crc(self) -> Option<CrcAlgorithm> {
        match self {
            Self::Crc32 => Some(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32c => Some(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64nvme => Some(CrcAlgorithm::Crc64Nvme),
            Self::Sha1 | Self::Sha256 => None,
        }
    }

    fn encode_crc(self, value: u64) -> String {
        BASE64.encode(&value.to_be_bytes()[8 - self.value_bytes()..])
    }
}

/// What a checksum of an object is computed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The bytes of the object.
    FullObject,
    /// The checksums of its parts.
    Composite,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::FullObject, Self::Composite].into_iter().find(|kind| kind.name() == name)
    }
}

/// The checksum of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
    /// Base64, followed by `-` and the number of parts when it is a composite.
    pub(crate) value: String,
}

/// Computes everything that is needed of one body, in one pass.
pub(crate) struct Digester {
    size: u64,
    md5: Option<Md5>,
    sums: Vec<(Algorithm, Hasher)>,
}

/// What a [`Digester`] computed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) size: u64,
    pub(crate) md5: Option<[u8; 16]>,
    /// Base64 values.
    pub(crate) sums: Vec<(Algorithm, String)>,
}

enum Hasher {
    Crc(crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Digester {
    pub(crate) fn new(algorithms: &[Algorithm], with_md5: bool) -> Self {
        let mut sums: Vec<(Algorithm, Hasher)> = Vec::new();
        for &algorithm in algorithms {
            if sums.iter().all(|(known, _)| *known != algorithm) {
                sums.push((algorithm, Hasher::new(algorithm)));
            }
        }
        Self { size: 0, md5: with_md5.then(Md5::new), sums }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        for (_, hasher) in &mut self.sums {
            hasher.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Digest {
        let sums = self
            .sums
            .into_iter()
            .map(|(algorithm, hasher)| (algorithm, hasher.finish(algorithm)))
            .collect();
        Digest { size: self.size, md5: self.md5.map(|md5| md5.finalize()), sums }
    }
}

impl Digest {
    pub(crate) fn of(bytes: &[u8], algorithms: &[Algorithm], with_md5: bool) -> Self {
        let mut digester = Digester::new(algorithms, with_md5);
        digester.update(bytes);
        digester.finish()
    }

    pub(crate) fn value(&self, algorithm: Algorithm) -> Option<&str> {
        self.sums.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_str())
    }
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match (algorithm.crc(), algorithm) {
            (Some(crc), _) => Self::Crc(crc_fast::Digest::new(crc)),
            (None, Algorithm::Sha1) => Self::Sha1(Sha1::new()),
            (None, _) => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(crc) => crc.update(bytes),
            Self::Sha1(sha) => sha.update(bytes),
            Self::Sha256(sha) => sha.update(bytes),
        }
    }

    fn finish(self, algorithm: Algorithm) -> String {
        match self {
            Self::Crc(crc) => algorithm.encode_crc(crc.finalize()),
            Self::Sha1(sha) => BASE64.encode(sha.finalize()),
            Self::Sha256(sha) => BASE64.encode(sha.finalize()),
        }
    }
}

/// Computes the checksum of an object from the values and sizes of its parts.
///
/// Returns `None` when a value is missing or malformed, or when S3 has no such combination.
pub(crate) fn of_parts(
    algorithm: Algorithm,
    kind: Kind,
    parts: &[(Option<&str>, u64)],
) -> Option<Checksum> {
    let values: Vec<(Vec<u8>, u64)> = parts
        .iter()
        .map(|(value, size)| value.and_then(|v| BASE64.decode(v).ok()).map(|bytes| (bytes, *size)))
        .collect::<Option<_>>()?;
    let value = match kind {
        Kind::FullObject => combine(algorithm, &values)?,
        Kind::Composite => {
            let joined: Vec<u8> =
                values.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
            let digest = Digest::of(&joined, &[algorithm], false);
            format!("{}-{}", digest.value(algorithm)?, values.len())
        }
    };
    Some(Checksum { algorithm, kind, value })
}

fn combine(algorithm: Algorithm, values: &[(Vec<u8>, u64)]) -> Option<String> {
    let crc = algorithm.crc()?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, &byte| (sum << 8) | u64::from(byte));
    let (first, rest) = values.split_first()?;
    let whole = rest.iter().fold(number(&first.0), |sum, (bytes, size)| {
        crc_fast::checksum_combine(crc, sum, number(bytes), *size)
    });
    Some(algorithm.encode_crc(whole))
}

/// Returns lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the ETag of a multipart object: the MD5 of its parts' MD5s, and how many there are.
pub(crate) fn multipart_etag(parts: &[[u8; 16]]) -> String {
    let digest = Md5::checksum(&parts.concat());
    format!("{}-{}", hex(&digest), parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values of the published algorithms over the nine digits.
    #[test]
    fn known_values() {
        for (algorithm, expected) in [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64nvme, "rosUhgp5mIg="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            let digest = Digest::of(b"123456789", &[algorithm], true);
            assert_eq!(digest.value(algorithm), Some(expected), "{}", algorithm.name());
            assert!(algorithm.accepts(expected));
            assert_eq!(
                digest.md5.map(|md5| hex(&md5)).as_deref(),
                Some("25f9e794323b453885f5181f1b624d0b")
            );
        }
    }

    #[test]
    fn combined_parts_equal_the_whole() {
        let whole: Vec<u8> = (0..1000_u32).map(|i| (i * 7 % 251) as u8).collect();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64nvme] {
            let digests: Vec<Digest> = [&whole[..400], &whole[400..401], &whole[401..]]
                .map(|p| Digest::of(p, &[algorithm], false))
                .into();
            let parts: Vec<_> = digests.iter().map(|d| (d.value(algorithm), d.size)).collect();
            let combined = of_parts(algorithm, Kind::FullObject, &parts).unwrap();
            assert_eq!(
                Some(combined.value.as_str()),
                Digest::of(&whole, &[algorithm], false).value(algorithm)
            );
        }
    }

    #[test]
    fn composites_count_their_parts() {
        let parts = [Some("FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="), None];
        let composite = of_parts(Algorithm::Sha256, Kind::Composite, &[(parts[0], 9)]).unwrap();
        assert!(composite.value.ends_with("=-1"), "{}", composite.value);
        assert_eq!(of_parts(Algorithm::Sha256, Kind::Composite, &parts.map(|p| (p, 9))), None);
        assert_eq!(of_parts(Algorithm::Sha256, Kind::FullObject, &[(parts[0], 9)]), None);
    }

    #[test]
    fn multipart_etags_are_md5_of_md5s() {
        let md5 = Digest::of(b"", &[], true).md5.unwrap();
        assert_eq!(multipart_etag(&[md5, md5]), "5873dd45edd01f09c1ef2e7819369e8e-2");
    }
}
