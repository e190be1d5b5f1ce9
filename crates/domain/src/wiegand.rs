//! Wiegand frames: numbers for the controller of a door.

use crate::{Error, Result};

/// Number of bits in a frame, including the two parity bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WiegandFormat {
    /// 24 bits of number.
    Bits26,
    /// 32 bits of number.
    Bits34,
}

impl WiegandFormat {
    fn data_bits(self) -> u32 {
        match self {
            Self::Bits26 => 24,
            Self::Bits34 => 32,
        }
    }
}

/// A number with its parity bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiegandFrame {
    bits: Vec<bool>,
}

impl WiegandFrame {
    /// The frame of a number. `Invalid` when the number has more bits than the format: truncated it would be another
    /// person's.
    pub fn new(format: WiegandFormat, number: u64) -> Result<Self> {
        let width = format.data_bits();
        if number >> width != 0 {
            return Err(Error::invalid("card", format!("has more than {width} bits")));
        }
        let data: Vec<bool> = (0..width).rev().map(|place| (number >> place) & 1 == 1).collect();
        let odd = |half: &[bool]| half.iter().filter(|bit| **bit).count() % 2 == 1;
        let (first, second) = data.split_at(data.len() / 2);
        // Even parity over the first half, odd over the second.
        let (before, after) = (odd(first), !odd(second));
        Ok(Self { bits: [&[before], data.as_slice(), &[after]].concat() })
    }

    /// The bits in the order of transmission; `false` is a pulse on the line D0, `true` one on D1.
    pub fn bits(&self) -> &[bool] {
        &self.bits
    }
}

impl std::fmt::Display for WiegandFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.bits.iter().try_for_each(|bit| f.write_str(if *bit { "1" } else { "0" }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(format: WiegandFormat, number: u64) -> String {
        WiegandFrame::new(format, number).unwrap().to_string()
    }

    #[test]
    fn the_first_half_is_even_and_the_second_odd() {
        assert_eq!(frame(WiegandFormat::Bits26, 0), "00000000000000000000000001");
        assert_eq!(frame(WiegandFormat::Bits26, 0x00_1001), "10000000000010000000000010");
        assert_eq!(frame(WiegandFormat::Bits26, 0x00_3003), "00000000000110000000000111");
        assert_eq!(frame(WiegandFormat::Bits34, 0xffff_ffff), format!("0{}", "1".repeat(33)));
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        assert!(WiegandFrame::new(WiegandFormat::Bits26, 1 << 24).is_err());
        assert!(WiegandFrame::new(WiegandFormat::Bits26, (1 << 24) - 1).is_ok());
        assert!(WiegandFrame::new(WiegandFormat::Bits34, 1 << 32).is_err());
    }
}
