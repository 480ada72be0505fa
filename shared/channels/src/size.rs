//! How long a message may be, in the unit that its vendor counts.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub max: usize,
    pub unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Chars,
    Utf16,
}

/// The size of a message, with the vendor's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    pub used: usize,
    pub of: Size,
}

impl Unit {
    /// How long `text` is in this unit.
    pub fn count(self, text: &str) -> usize {
        match self {
            Unit::Bytes => text.len(),
            Unit::Chars => text.chars().count(),
            Unit::Utf16 => text.encode_utf16().count(),
        }
    }
}

impl Size {
    pub fn holds(self, text: &str) -> bool {
        self.unit.count(text) <= self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_vendors_count() {
        let text = "a告😀";
        assert_eq!([Unit::Bytes, Unit::Chars, Unit::Utf16].map(|unit| unit.count(text)), [8, 3, 4]);
    }
}
