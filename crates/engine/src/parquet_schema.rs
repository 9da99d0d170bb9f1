//! How deep the schema in a Parquet footer is nested, found without recursion.
//!
//! The decoder descends into nested groups, and so does everything behind it; a footer of a
//! megabyte can hold enough of them to exhaust any stack. So the footer is walked first, in the
//! compact protocol of Apache Thrift, as far as the schema reaches. What cannot be walked is left
//! for the decoder to refuse.

/// The deepest nesting of groups; a list takes two of them.
pub(crate) const DEPTH_MAX: usize = 100;
/// Structures inside structures that are passed over; the format itself has four.
const SKIP_DEPTH_MAX: usize = 8;

/// Field numbers of the footer, by the format's definition.
const FOOTER_SCHEMA: i64 = 2;
const ELEMENT_CHILDREN: i64 = 5;

/// Whether the schema of a footer is nested more than [`DEPTH_MAX`] deep.
pub(crate) fn is_too_deep(footer: &[u8]) -> bool {
    Walk { rest: footer }.schema_is_too_deep().unwrap_or(false)
}

/// The bytes that are still to be walked. Every step is nothing where the bytes make no sense.
struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn schema_is_too_deep(&mut self) -> Option<bool> {
        let mut field = 0;
        while let Some((number, kind)) = self.field(field)? {
            field = number;
            if number == FOOTER_SCHEMA && kind == 9 {
                let (count, _) = self.list()?;
                return self.elements_are_too_deep(count);
            }
            self.skip(kind, 0)?;
        }
        None
    }

    /// Elements stand in the order of a descent: each is followed by its children.
    fn elements_are_too_deep(&mut self, count: u64) -> Option<bool> {
        let mut open: Vec<u64> = Vec::new();
        for _ in 0..count {
            let children = self.element()?;
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            if children > 0 {
                open.push(children);
            }
            if open.len() > DEPTH_MAX {
                return Some(true);
            }
            while open.last() == Some(&0) {
                open.pop();
            }
        }
        Some(false)
    }

    /// Passes over a schema element and returns how many children it has.
    fn element(&mut self) -> Option<u64> {
        let (mut field, mut children) = (0, 0);
        while let Some((number, kind)) = self.field(field)? {
            field = number;
            if number == ELEMENT_CHILDREN && matches!(kind, 4..=6) {
                children = u64::try_from(self.zigzag()?).ok()?;
            } else {
                self.skip(kind, 0)?;
            }
        }
        Some(children)
    }

    /// The number and the kind of the next field, or nothing inside at the end of the structure.
    fn field(&mut self, before: i64) -> Option<Option<(i64, u8)>> {
        let head = self.byte()?;
        if head == 0 {
            return Some(None);
        }
        let number = match i64::from(head >> 4) {
            0 => self.zigzag()?,
            step => before + step,
        };
        Some(Some((number, head & 0x0f)))
    }

    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
        Some((count, head & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            1 | 2 => Some(()),
            3 => self.byte().map(drop),
            4..=6 => self.varint().map(drop),
            7 => self.take(8),
            8 => {
                let length = self.varint()?;
                self.take(length)
            }
            9 | 10 if depth < SKIP_DEPTH_MAX => {
                let (count, kind) = self.list()?;
                // The elements of a list of truth values are bytes, unlike such fields.
                let kind = if matches!(kind, 1 | 2) { 3 } else { kind };
                (0..count).try_for_each(|_| self.skip(kind, depth + 1))
            }
            12 if depth < SKIP_DEPTH_MAX => {
                let mut field = 0;
                while let Some((number, kind)) = self.field(field)? {
                    field = number;
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn take(&mut self, length: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(length).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}
