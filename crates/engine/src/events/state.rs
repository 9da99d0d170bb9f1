//! What is known of the events of one person: a state for each question, and the events that
//! sequences look at.
//!
//! States of parts of the events are merged in any order with the same outcome.

use std::io::{self, Read};

use arrow::datatypes::i256;

use super::sum::ExactSum;

/// What has been counted for one question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum State {
    Count(u64),
    /// A sum of whole numbers, or of decimals as whole numbers of their last digit.
    Whole {
        sum: i256,
        count: u64,
    },
    Real {
        sum: ExactSum,
        count: u64,
    },
    Least(i128),
    Greatest(i128),
}

impl State {
    /// Joins the state of other events.
    pub(crate) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Count(count), Self::Count(more)) => *count += more,
            (Self::Whole { sum, count }, Self::Whole { sum: other, count: more }) => {
                // 2^64 values of 128 bits have room.
                *sum = sum.wrapping_add(*other);
                *count += more;
            }
            (Self::Real { sum, count }, Self::Real { sum: other, count: more }) => {
                sum.merge(other);
                *count += more;
            }
            (Self::Least(least), Self::Least(other)) => *least = (*least).min(*other),
            (Self::Greatest(greatest), Self::Greatest(other)) => {
                *greatest = (*greatest).max(*other);
            }
            (one, other) => debug_assert!(false, "{one:?} and {other:?} answer two questions"),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Count(count) => {
                out.push(0);
                out.extend(count.to_le_bytes());
            }
            Self::Whole { sum, count } => {
                out.push(1);
                out.extend(sum.to_le_bytes());
                out.extend(count.to_le_bytes());
            }
            Self::Real { sum, count } => {
                out.push(2);
                sum.write(out);
                out.extend(count.to_le_bytes());
            }
            Self::Least(least) => {
                out.push(3);
                out.extend(least.to_le_bytes());
            }
            Self::Greatest(greatest) => {
                out.push(4);
                out.extend(greatest.to_le_bytes());
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(match take::<1>(bytes)?[0] {
            0 => Self::Count(u64::from_le_bytes(take(bytes)?)),
            1 => Self::Whole {
                sum: i256::from_le_bytes(take(bytes)?),
                count: u64::from_le_bytes(take(bytes)?),
            },
            2 => {
                Self::Real { sum: ExactSum::read(bytes)?, count: u64::from_le_bytes(take(bytes)?) }
            }
            3 => Self::Least(i128::from_le_bytes(take(bytes)?)),
            4 => Self::Greatest(i128::from_le_bytes(take(bytes)?)),
            _ => return None,
        })
    }
}

/// An event that a sequence looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Happened {
    /// The question.
    pub(crate) question: u16,
    /// Microseconds since 1970.
    pub(crate) time: i64,
    /// Which parts of the sequence it is.
    pub(crate) parts: u64,
}

/// The events of one person.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Person {
    /// How many there are.
    pub(crate) events: u64,
    states: Vec<(u16, State)>,
    /// In no order.
    pub(crate) happened: Vec<Happened>,
}

impl Person {
    /// Joins a state of a question to what is known.
    pub(crate) fn add(&mut self, question: u16, state: State) {
        match self.states.iter_mut().find(|(known, _)| *known == question) {
            Some((_, known)) => known.merge(&state),
            None => self.states.push((question, state)),
        }
    }

    pub(crate) fn state(&self, question: u16) -> Option<&State> {
        self.states.iter().find(|(known, _)| *known == question).map(|(_, state)| state)
    }

    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + self.states.len() * size_of::<(u16, State)>()
            + self.happened.len() * size_of::<Happened>()
    }

    /// Joins other events of the same person.
    pub(crate) fn merge(&mut self, other: Self) {
        self.events += other.events;
        for (question, state) in other.states {
            self.add(question, state);
        }
        self.happened.extend(other.happened);
    }

    /// Writes everything but the number of events down.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend((self.states.len() as u16).to_le_bytes());
        for (question, state) in &self.states {
            out.extend(question.to_le_bytes());
            state.write(out);
        }
        for Happened { question, time, parts } in &self.happened {
            out.extend(question.to_le_bytes());
            out.extend(time.to_le_bytes());
            out.extend(parts.to_le_bytes());
        }
    }

    /// Reads what [`Person::write`] wrote.
    pub(crate) fn read(mut bytes: &[u8]) -> io::Result<Self> {
        Self::parse(&mut bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn parse(bytes: &mut &[u8]) -> Option<Self> {
        let mut person = Self::default();
        for _ in 0..u16::from_le_bytes(take(bytes)?) {
            person.states.push((u16::from_le_bytes(take(bytes)?), State::read(bytes)?));
        }
        while !bytes.is_empty() {
            person.happened.push(Happened {
                question: u16::from_le_bytes(take(bytes)?),
                time: i64::from_le_bytes(take(bytes)?),
                parts: u64::from_le_bytes(take(bytes)?),
            });
        }
        Some(person)
    }
}

/// Takes the next bytes.
pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

/// Reads the next `N` bytes of a bucket; nothing at its end.
pub(crate) fn next<const N: usize>(entries: &mut dyn Read) -> io::Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match entries.read(&mut bytes[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut person = Person::default();
        let whole = || State::Whole { sum: i256::from_i128(-7), count: 2 };
        person.add(3, State::Count(2));
        person.add(1, whole());
        person.add(1, whole());
        person.add(0, State::Real { sum: ExactSum::default(), count: 0 });
        person.add(2, State::Least(-5));
        person.add(4, State::Greatest(i128::MAX));
        person.happened.push(Happened { question: 9, time: -1, parts: 5 });
        let mut bytes = Vec::new();
        person.write(&mut bytes);
        assert_eq!(Person::read(&bytes).expect("as written"), person);
        assert_eq!(person.state(1), Some(&State::Whole { sum: i256::from_i128(-14), count: 4 }));
        assert!(Person::read(&bytes[..bytes.len() - 1]).is_err());
    }
}
