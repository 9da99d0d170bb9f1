//! Checksums in and out of the protocol layer's types, which have one field per algorithm.

/// Puts a value into the field of its algorithm.
macro_rules! set_sum {
    ($target:expr, $algorithm:expr, $value:expr) => {
        match $algorithm {
            $crate::checksum::Algorithm::Crc32 => $target.checksum_crc32 = Some($value),
            $crate::checksum::Algorithm::Crc32c => $target.checksum_crc32c = Some($value),
            $crate::checksum::Algorithm::Crc64nvme => $target.checksum_crc64nvme = Some($value),
            $crate::checksum::Algorithm::Sha1 => $target.checksum_sha1 = Some($value),
            $crate::checksum::Algorithm::Sha256 => $target.checksum_sha256 = Some($value),
        }
    };
}

/// Puts the checksum of an object into the fields of an answer.
macro_rules! set_checksum {
    ($target:expr, $checksum:expr) => {
        if let Some(checksum) = $checksum {
            $crate::service::checksums::set_sum!(
                $target,
                checksum.algorithm,
                checksum.value.clone()
            );
            $target.checksum_type = Some(s3s::dto::ChecksumType::from_static(checksum.kind.name()));
        }
    };
}

/// Returns the values that a request gives, with their algorithms.
macro_rules! given_sums {
    ($source:expr) => {
        [
            ($crate::checksum::Algorithm::Crc32, $source.checksum_crc32.clone()),
            ($crate::checksum::Algorithm::Crc32c, $source.checksum_crc32c.clone()),
            ($crate::checksum::Algorithm::Crc64nvme, $source.checksum_crc64nvme.clone()),
            ($crate::checksum::Algorithm::Sha1, $source.checksum_sha1.clone()),
            ($crate::checksum::Algorithm::Sha256, $source.checksum_sha256.clone()),
        ]
        .into_iter()
        .filter_map(|(algorithm, value)| Some((algorithm, value?)))
        .collect::<Vec<_>>()
    };
}

pub(super) use {given_sums, set_checksum, set_sum};
