//! The kinds of rules over moving objects.

use super::memory::{Change, Memory};
use super::zone::ZoneKind;
use super::{area, line, people, stay};
use crate::behaviour::{BehaviourKind, ClipSpan, Crossing, ObjectClass, RuleOptions, RuleSettings, SizeLimits};
use crate::error::{Error, Result};
use crate::surveillance::tracker::Track;
use crate::time::Timestamp;

/// The longest name of a rule, characters.
const MAX_NAME: usize = 64;

/// A kind of rule.
pub(super) struct Kind {
    name: BehaviourKind,
    /// The classes that it can be about.
    objects: &'static [ObjectClass],
    zone: ZoneKind,
    /// What a frame changes: a pure function of what the rule remembers, and of the tracks of all classes in view, those
    /// hidden for a moment included.
    pub(super) step: fn(&mut Memory, &[Track<ObjectClass>], Timestamp) -> Option<Change>,
}

const PEOPLE: &[ObjectClass] = &[ObjectClass::Person];
const VEHICLES: &[ObjectClass] = &[ObjectClass::Vehicle, ObjectClass::Cycle];
const TRAFFIC: &[ObjectClass] = &[ObjectClass::Person, ObjectClass::Vehicle, ObjectClass::Cycle];
const UNWANTED: &[ObjectClass] = &[ObjectClass::Cycle, ObjectClass::Dog];

/// All kinds of rules.
const KINDS: [Kind; 15] = [
    Kind { name: BehaviourKind::Line, objects: TRAFFIC, zone: ZoneKind::Line, step: line::step },
    Kind { name: BehaviourKind::LineCount, objects: PEOPLE, zone: ZoneKind::Line, step: line::count },
    Kind { name: BehaviourKind::Area, objects: TRAFFIC, zone: ZoneKind::Area, step: area::inside },
    Kind { name: BehaviourKind::Enter, objects: TRAFFIC, zone: ZoneKind::Area, step: area::enter },
    Kind { name: BehaviourKind::Leave, objects: TRAFFIC, zone: ZoneKind::Area, step: area::leave },
    Kind { name: BehaviourKind::Border, objects: TRAFFIC, zone: ZoneKind::Area, step: area::border },
    Kind { name: BehaviourKind::AreaCount, objects: PEOPLE, zone: ZoneKind::Area, step: people::count },
    Kind { name: BehaviourKind::Crowd, objects: PEOPLE, zone: ZoneKind::Area, step: people::crowd },
    Kind { name: BehaviourKind::Gathering, objects: PEOPLE, zone: ZoneKind::Area, step: people::gathering },
    Kind { name: BehaviourKind::Absence, objects: PEOPLE, zone: ZoneKind::Area, step: people::absence },
    Kind { name: BehaviourKind::Alone, objects: PEOPLE, zone: ZoneKind::Area, step: people::alone },
    Kind { name: BehaviourKind::Loitering, objects: PEOPLE, zone: ZoneKind::Area, step: stay::loitering },
    Kind { name: BehaviourKind::Parking, objects: VEHICLES, zone: ZoneKind::Area, step: stay::parking },
    Kind { name: BehaviourKind::Presence, objects: UNWANTED, zone: ZoneKind::Area, step: stay::presence },
    Kind { name: BehaviourKind::Fast, objects: PEOPLE, zone: ZoneKind::Area, step: stay::fast },
];

/// The kind of a rule, when it is a known one.
pub(super) fn kind(name: BehaviourKind) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Refuses a rule that makes no sense: `Invalid`.
pub(crate) fn check(rule: &RuleSettings) -> Result<()> {
    if !(1..=MAX_NAME).contains(&rule.name.chars().count()) {
        return Err(Error::invalid("rule name", format!("not 1 to {MAX_NAME} characters")));
    }
    let kind = kind(rule.kind).ok_or(Error::NotSupported { what: "this kind of rule" })?;
    if !kind.objects.contains(&rule.object) {
        return Err(Error::invalid("rule object", "this kind of rule is not about such objects"));
    }
    kind.zone.check(&rule.points)?;
    if rule.kind == BehaviourKind::LineCount && rule.direction == Crossing::Both {
        return Err(Error::invalid("rule direction", "a counting line has one way in"));
    }
    check_options(&rule.options)
}

fn check_options(options: &RuleOptions) -> Result<()> {
    if !(1..=100).contains(&options.sensitivity) {
        return Err(Error::invalid("rule sensitivity", "not 1 to 100"));
    }
    let SizeLimits { min_width, min_height, max_width, max_height } = options.sizes;
    let fits = |min: f32, max: f32| 0.0 <= min && min <= max && max <= 1.0;
    if !fits(min_width, max_width) || !fits(min_height, max_height) {
        return Err(Error::invalid("rule sizes", "not shares of the picture, 0 to 1, the smallest first"));
    }
    let is_long = |clip: ClipSpan| clip.before > ClipSpan::LONGEST || clip.after > ClipSpan::LONGEST;
    if options.clip.is_some_and(is_long) {
        let longest = ClipSpan::LONGEST.as_secs();
        return Err(Error::invalid("rule clip", format!("more than {longest} s before or after")));
    }
    if options.reset_hour.is_some_and(|hour| hour > 23) {
        return Err(Error::invalid("rule reset hour", "not 0 to 23"));
    }
    Ok(())
}
