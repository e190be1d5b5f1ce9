//! Two simulated slots with a boot loader. It tries a slot once until it is marked good, as GRUB and U-Boot do with their
//! counters.

use domain::{Bundle, Error, Result, SlotMark, Slots};

/// The kind of machine of the fakes.
pub const BOARD: &str = "pretend-board";
/// How a bundle begins.
const START: &str = "hsqs";
/// The signature that the machine trusts.
const TRUSTED: &str = "trusted";

/// The content of a bundle for this kind of machine, of this version; `trusted`: with the right signature.
pub fn bundle(board: &str, version: &str, trusted: bool) -> String {
    let signature = if trusted { TRUSTED } else { "foreign" };
    format!("{START}\n{board}\n{version}\n{signature}")
}

/// Two slots.
pub(crate) struct FakeSlots {
    /// A and B.
    slots: [Slot; 2],
    running: usize,
    /// The slot that is tried first.
    first: usize,
    boots: u32,
}

struct Slot {
    works: bool,
    tried: bool,
}

const NAMES: [&str; 2] = ["A", "B"];

impl Default for FakeSlots {
    fn default() -> Self {
        let slots = [Slot { works: true, tried: false }, Slot { works: false, tried: false }];
        Self { slots, running: 0, first: 0, boots: 0 }
    }
}

impl FakeSlots {
    fn other(&self) -> usize {
        1 - self.running
    }

    fn is_good(&self, slot: usize) -> bool {
        self.slots[slot].works && !self.slots[slot].tried
    }

    pub(crate) fn seen(&self) -> Slots {
        let other = self.other();
        Slots {
            running: NAMES[self.running].to_owned(),
            is_good: self.is_good(self.running),
            fallback: self.is_good(other).then(|| NAMES[other].to_owned()),
            compatible: BOARD.to_owned(),
            boot: self.boots.to_string(),
        }
    }

    pub(crate) fn inspect(text: &str) -> Result<Bundle> {
        let lines: Vec<_> = text.lines().collect();
        let [START, board, version, signature] = lines[..] else {
            return Err(Error::invalid("package content", "it is cut off"));
        };
        if signature != TRUSTED {
            return Err(Error::invalid("package", "it was signed by somebody else"));
        }
        Ok(Bundle { compatible: board.to_owned(), version: version.to_owned() })
    }

    pub(crate) fn install(&mut self) {
        self.first = self.other();
        self.slots[self.first] = Slot { works: true, tried: false };
    }

    pub(crate) fn awaits_restart(&self) -> bool {
        self.first != self.running
    }

    pub(crate) fn mark(&mut self, mark: SlotMark) {
        let (slot, works) = match mark {
            SlotMark::Good => (self.running, true),
            SlotMark::Bad => (self.running, false),
            SlotMark::OtherBad => (self.other(), false),
        };
        self.slots[slot] = Slot { works, tried: false };
    }

    pub(crate) fn boot(&mut self) -> &'static str {
        self.boots += 1;
        let wanted = [self.first, 1 - self.first].into_iter().find(|slot| self.is_good(*slot));
        self.running = wanted.unwrap_or(0);
        self.slots[self.running].tried = true;
        NAMES[self.running]
    }
}
