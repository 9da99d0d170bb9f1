//! Encrypting a file as it comes.
//!
//! The library reads its input rather than being fed, so it works on a thread of its own between two
//! queues. The first is bounded; the second holds no more than what the first, and what the library
//! keeps of it, come to, because whoever writes takes everything out that is there.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};

use pgp::composed::{MessageBuilder, SubpacketConfig};
use pgp::crypto::sym::SymmetricKeyAlgorithm;

use super::Seal;
use crate::error::Error;

/// What is handed to the thread at a time, in bytes.
const BLOCK_BYTES: usize = 64 << 10;
/// How many blocks wait for the thread.
const BLOCKS_WAITING_MAX: usize = 8;

/// Encrypts one file. Dropping it ends its thread; what was encrypted is then of no use.
pub(crate) struct Sealer {
    input: Option<SyncSender<Vec<u8>>>,
    output: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<Result<(), pgp::errors::Error>>>,
}

impl Sealer {
    /// Begins a file, the one of this token.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(crate) fn new(seal: Arc<Seal>, token: &str) -> Result<Self, Error> {
        let (input, blocks) = mpsc::sync_channel(BLOCKS_WAITING_MAX);
        let (sealed, output) = mpsc::channel();
        let token = token.to_owned();
        let source = Blocks { blocks, current: Vec::new(), taken: 0 };
        let thread = thread::Builder::new()
            .name("pgp".to_owned())
            .spawn(move || encrypt(&seal, &token, source, Sealed(sealed)))
            .map_err(|error| Error::Encrypt { problem: error.to_string() })?;
        Ok(Self { input: Some(input), output, thread: Some(thread) })
    }

    /// Takes more of the file and appends to `out` what has become of it so far.
    ///
    /// # Errors
    /// Encryption failed; the file is of no use.
    pub(crate) fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        for block in bytes.chunks(BLOCK_BYTES) {
            let is_taken =
                self.input.as_ref().is_some_and(|input| input.send(block.to_vec()).is_ok());
            if !is_taken {
                return Err(self.ended());
            }
            self.output.try_iter().for_each(|sealed| out.extend_from_slice(&sealed));
        }
        Ok(())
    }

    /// Ends the file and appends the rest of it to `out`.
    ///
    /// # Errors
    /// As [`Sealer::write`].
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        self.input = None;
        self.output.iter().for_each(|sealed| out.extend_from_slice(&sealed));
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(Error::Encrypt { problem: error.to_string() }),
            Some(Err(_)) | None => Err(stopped()),
        }
    }

    /// Gives the file up, and returns the thread that was working on it.
    #[cfg(test)]
    pub(super) fn let_go(mut self) -> Option<JoinHandle<Result<(), pgp::errors::Error>>> {
        self.thread.take()
    }

    /// Why the thread takes nothing any more.
    fn ended(&mut self) -> Error {
        self.finish(&mut Vec::new()).err().unwrap_or_else(stopped)
    }
}

fn stopped() -> Error {
    Error::Encrypt { problem: "the thread stopped".to_owned() }
}

fn encrypt(
    seal: &Seal,
    token: &str,
    source: Blocks,
    out: Sealed,
) -> Result<(), pgp::errors::Error> {
    let mut generator = seal.generator(token);
    let mut message = MessageBuilder::from_reader("", source)
        .seipd_v1(&mut generator, SymmetricKeyAlgorithm::AES256);
    for recipient in &seal.recipients {
        recipient.seal_session_key(&mut generator, &mut message)?;
    }
    if let Some(signer) = &seal.signer {
        let (hashed, unhashed) = signer.subpackets(seal.signed_at)?;
        let subpackets = SubpacketConfig::UserDefined { hashed, unhashed };
        message.sign_with_subpackets(
            signer.key(),
            pgp::types::Password::empty(),
            signer.key().hash_alg(),
            subpackets,
        );
    }
    message.to_writer(&mut generator, out)
}

/// The file, as the library reads it.
struct Blocks {
    blocks: Receiver<Vec<u8>>,
    current: Vec<u8>,
    taken: usize,
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.current.len() {
            match self.blocks.recv() {
                Ok(block) => (self.current, self.taken) = (block, 0),
                Err(mpsc::RecvError) => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len() - self.taken);
        buffer[..length].copy_from_slice(&self.current[self.taken..self.taken + length]);
        self.taken += length;
        Ok(length)
    }
}

/// Where the encrypted file goes.
struct Sealed(Sender<Vec<u8>>);

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(bytes.to_vec()).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
