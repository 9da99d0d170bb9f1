//! How a service is made to check the parts that it is sent, and what is remembered of what it takes.
//!
//! Amazon checks CRC-64/NVME of every part and of the whole object. Compatible services may refuse
//! the checksum, or take it and not look at it; MD5 is what all of them know. It is the slowest by
//! far, so it is kept for those.

use std::sync::atomic::{AtomicU8, Ordering};

use base64::Engine as _;
use md5::Digest as _;

use crate::error::{Fault, RequestError};
use crate::store::{Part, crc64_text};

/// How the service is made to check the parts, from what is wanted to what every service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// By CRC-64/NVME, and the whole object by that of the whole object.
    Crc64,
    /// The service takes that checksum and does not confirm it: MD5 of each part as well.
    Crc64AndMd5,
    /// The service refuses that checksum: MD5 of each part.
    Md5,
}

impl Check {
    const ALL: [Self; 3] = [Self::Crc64, Self::Crc64AndMd5, Self::Md5];

    /// Returns its name, for records.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc64 => "crc64nvme",
            Self::Crc64AndMd5 => "crc64nvme+md5",
            Self::Md5 => "md5",
        }
    }

    /// Whether uploads are opened for CRC-64/NVME and parts carry it.
    pub(super) fn has_crc64(self) -> bool {
        self != Self::Md5
    }

    /// Returns the CRC-64/NVME header of a part, if it gets one.
    pub(super) fn crc64(self, part: &Part) -> Option<String> {
        self.has_crc64().then(|| crc64_text(part.crc64nvme()))
    }

    /// Returns the Content-MD5 header of a part, if it gets one.
    pub(super) fn md5(self, part: &Part) -> Option<String> {
        let text =
            || base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(part.body()));
        (self != Self::Crc64).then(text)
    }

    /// Returns the check to try after a failure that may mean that the service does not know
    /// CRC-64/NVME. What such services answer is not settled: 501, or 400 with one of several codes.
    pub(super) fn without_crc64(self, failure: &RequestError) -> Option<Self> {
        let may_be_unknown = match failure.fault {
            Fault::Unsupported => true,
            Fault::Refused => failure.status == Some(400),
            _ => false,
        };
        (may_be_unknown && self.has_crc64()).then_some(Self::Md5)
    }
}

/// The check that a destination takes, as far as it is known; it starts with the best.
#[derive(Debug, Default)]
pub(super) struct Checks {
    index: AtomicU8,
}

impl Checks {
    pub(super) fn current(&self) -> Check {
        Check::ALL[usize::from(self.index.load(Ordering::Relaxed)) % Check::ALL.len()]
    }

    /// Settles for a check, for all later requests; never again for a better one.
    pub(super) fn settle_for(&self, check: Check) {
        self.index.fetch_max(check as u8, Ordering::Relaxed);
    }
}
