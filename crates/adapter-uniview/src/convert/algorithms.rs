//! The algorithms of the document (14.3), and which of them this device runs.

use domain::{BehaviourKind, ObjectClass};

use crate::codes::{Code, Fault};

/// Faces: capture and comparison.
pub(crate) const FACES: &str = "ObjectIsRecognized";

/// Whether a model finds objects of a class.
pub(crate) type Finds<'a> = &'a (dyn Fn(ObjectClass) -> bool + Sync);

/// An algorithm that is a rule over moving objects (14.3, families PI and UM; entering and leaving an area: SF).
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) kind: BehaviourKind,
    /// What it can be about; the first unless the task says otherwise.
    pub(crate) objects: &'static [ObjectClass],
    /// Whether it is about a line instead of an area.
    pub(crate) is_line: bool,
    /// Whether it has a sensitivity.
    pub(crate) sensitive: bool,
    /// Whether it has a report interval.
    pub(crate) report_rate: bool,
    /// Whether the end of an alarm may be pushed.
    pub(crate) recovers: bool,
}

const PERSON: &[ObjectClass] = &[ObjectClass::Person];
const TRAFFIC: &[ObjectClass] = &[ObjectClass::Person, ObjectClass::Cycle, ObjectClass::Vehicle];

const fn area(name: &'static str, kind: BehaviourKind, objects: &'static [ObjectClass]) -> Rule {
    Rule { name, kind, objects, is_line: false, sensitive: false, report_rate: true, recovers: true }
}

const RULES: &[Rule] = &[
    Rule {
        is_line: true,
        sensitive: true,
        report_rate: false,
        recovers: false,
        ..area("LinePeopleCounting", BehaviourKind::LineCount, PERSON)
    },
    area("AbnormalParkingDetection", BehaviourKind::Parking, &[ObjectClass::Vehicle]),
    Rule { sensitive: true, ..area("AccessElevatorAlarm", BehaviourKind::Presence, &[ObjectClass::Cycle]) },
    area("LongStayDetection", BehaviourKind::Loitering, PERSON),
    area("StayAloneDetection", BehaviourKind::Alone, PERSON),
    Rule { sensitive: true, ..area("FastMoving", BehaviourKind::Fast, PERSON) },
    area("OffDutyDetectionAlarm", BehaviourKind::Absence, PERSON),
    Rule {
        sensitive: true,
        report_rate: false,
        recovers: false,
        ..area("AreaPeopleCounting", BehaviourKind::AreaCount, PERSON)
    },
    Rule { sensitive: true, report_rate: false, ..area("FieldDetectorObjectsInside", BehaviourKind::Area, TRAFFIC) },
    Rule { sensitive: true, report_rate: false, recovers: false, ..area("EnterArea", BehaviourKind::Enter, TRAFFIC) },
    Rule { sensitive: true, report_rate: false, recovers: false, ..area("LeaveArea", BehaviourKind::Leave, TRAFFIC) },
    Rule { report_rate: false, recovers: false, ..area("PeopleGathering", BehaviourKind::Gathering, PERSON) },
    area("CrowdDensityCriticalAlarm", BehaviourKind::Crowd, PERSON),
    Rule {
        is_line: true,
        sensitive: true,
        report_rate: false,
        recovers: false,
        ..area("LineDetectorCrossed", BehaviourKind::Line, TRAFFIC)
    },
    Rule { sensitive: true, ..area("NonMotorAbnormalParkingDetection", BehaviourKind::Parking, &[ObjectClass::Cycle]) },
    Rule { sensitive: true, recovers: false, ..area("DogDetection", BehaviourKind::Presence, &[ObjectClass::Dog]) },
];

/// What is in the document besides.
const OTHERS: &[&str] = &[
    "BareSoilCoverDetection",
    "ChannelBlockageDetection",
    "ChefClothesDetection",
    "ChefHatAlarm",
    "ClimbingDetectionAlarm",
    "DirtyRoadDetection",
    "DisorderStackingDetection",
    "DryingOnTheStreetDetection",
    "ExposedGarbageDetection",
    "FallOverAlarm",
    "FightDetectionAlarm",
    "FireDetection",
    "FloatingObjOnRiverDetection",
    "FumesAlarmBegin",
    "IllegalBillboardsDetection",
    "IllegalUseOfAnUmbrellaDetection",
    "KnifeStickDetection",
    "MouseDetect",
    "NoMaskAlarm",
    "ObjectRemoved",
    "OutsideTheStoreBusinessDetection",
    "PackedGarbageDetection",
    "PlayMobilePhoneDetection",
    "ReflectiveClothesDetectionAlarm",
    "RoadsideStallBusinessDetection",
    "SafetyHarnessDetection",
    "SafetyHelmetAlarm",
    "SetFileOnTheRoadDetection",
    "SharedBicylesRandomParkingDetection",
    "ShirtlessDetection",
    "SleepingDetectionAlarm",
    "SmokingAlarm",
    "StreetVendorDetection",
    "SurfaceWaterDetection",
    "TelephoningAlarm",
    "TrashOverflowingDetection",
    "UncoveredTrashCanDetection",
    "UnwashedVehicleDetection",
    "WasteTruckDetection",
    "WorkClothesAlarm",
];

/// All kinds of rules.
const KINDS: [BehaviourKind; 15] = [
    BehaviourKind::Line,
    BehaviourKind::LineCount,
    BehaviourKind::Area,
    BehaviourKind::Enter,
    BehaviourKind::Leave,
    BehaviourKind::Border,
    BehaviourKind::AreaCount,
    BehaviourKind::Crowd,
    BehaviourKind::Gathering,
    BehaviourKind::Loitering,
    BehaviourKind::Absence,
    BehaviourKind::Alone,
    BehaviourKind::Fast,
    BehaviourKind::Parking,
    BehaviourKind::Presence,
];

/// The algorithms that run here, in the order of the lists.
pub(crate) fn all(finds: Finds<'_>) -> Vec<&'static str> {
    let rules = RULES.iter().filter(|rule| rule.runs(finds)).map(|rule| rule.name);
    [FACES].into_iter().chain(rules).collect()
}

/// The algorithm of this name among those that run here.
///
/// # Errors
/// Code 4 for one of the document that does not run here, code 2 for any other name.
pub(crate) fn run(name: &str, finds: Finds<'_>) -> Result<&'static str, Fault> {
    let name = named(name)?;
    let runs = name == FACES || rule(name).is_some_and(|rule| rule.runs(finds));
    if runs { Ok(name) } else { Err(Code::NotSupported.into()) }
}

/// The document's names of all kinds of rules, also of those that only other interfaces set.
pub(crate) fn all_of_rules() -> Vec<&'static str> {
    let mut names: Vec<_> =
        KINDS.iter().flat_map(|kind| ObjectClass::ALL.map(|object| name_of(*kind, object))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The algorithm of this name in the document; code 2 for any other name.
pub(crate) fn named(name: &str) -> Result<&'static str, Fault> {
    known(name).ok_or_else(|| Fault::argument("algo_model is not in the document"))
}

/// The rule that an algorithm is; `None` for one that is none, or does not run here.
pub(crate) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// The document's name of a rule of this kind about this class, also of one that another interface has set.
pub(crate) fn name_of(kind: BehaviourKind, object: ObjectClass) -> &'static str {
    match (kind, object) {
        (BehaviourKind::Line | BehaviourKind::Border, _) => "LineDetectorCrossed",
        (BehaviourKind::LineCount, _) => "LinePeopleCounting",
        (BehaviourKind::Area, _) => "FieldDetectorObjectsInside",
        (BehaviourKind::Enter, _) => "EnterArea",
        (BehaviourKind::Leave, _) => "LeaveArea",
        (BehaviourKind::AreaCount, _) => "AreaPeopleCounting",
        (BehaviourKind::Crowd, _) => "CrowdDensityCriticalAlarm",
        (BehaviourKind::Gathering, _) => "PeopleGathering",
        (BehaviourKind::Loitering, _) => "LongStayDetection",
        (BehaviourKind::Absence, _) => "OffDutyDetectionAlarm",
        (BehaviourKind::Alone, _) => "StayAloneDetection",
        (BehaviourKind::Fast, _) => "FastMoving",
        (BehaviourKind::Parking, ObjectClass::Cycle) => "NonMotorAbnormalParkingDetection",
        (BehaviourKind::Parking, _) => "AbnormalParkingDetection",
        (BehaviourKind::Presence, ObjectClass::Dog) => "DogDetection",
        (BehaviourKind::Presence, _) => "AccessElevatorAlarm",
    }
}

/// All kinds of rules and classes that the document calls so.
pub(crate) fn kinds_of(name: &str) -> Vec<(BehaviourKind, ObjectClass)> {
    let all = KINDS.into_iter().flat_map(|kind| ObjectClass::ALL.map(|object| (kind, object)));
    all.filter(|(kind, object)| name_of(*kind, *object) == name).collect()
}

impl Rule {
    fn runs(&self, finds: Finds<'_>) -> bool {
        self.objects.first().is_some_and(|object| finds(*object))
    }
}

/// The document's name; two have an alias (quirk "6.3, 6.4, 6.5 against 14.3").
fn known(name: &str) -> Option<&'static str> {
    let name = match name.trim() {
        "LineRuleData" => "LinePeopleCounting",
        "AreaRuleData" => "AreaPeopleCounting",
        other => other,
    };
    let rules = RULES.iter().map(|rule| rule.name);
    [FACES].into_iter().chain(rules).chain(OTHERS.iter().copied()).find(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people_only(object: ObjectClass) -> bool {
        object == ObjectClass::Person
    }

    #[test]
    fn an_algorithm_runs_here_or_only_elsewhere_or_nowhere() {
        let run = |name| super::run(name, &people_only);
        assert_eq!(run(" ObjectIsRecognized").unwrap(), FACES);
        assert_eq!(run("LineRuleData").unwrap(), "LinePeopleCounting");
        for name in ["FallOverAlarm", "AbnormalParkingDetection", "SharedBicylesRandomParkingDetection"] {
            assert_eq!(run(name).unwrap_err().code, Code::NotSupported, "{name}");
        }
        for name in ["", "objectisrecognized", "Faces"] {
            assert_eq!(run(name).unwrap_err().code, Code::Arguments, "{name}");
        }
        assert_eq!(all(&|_| false), [FACES]);
        assert!(all(&|_| true).len() == RULES.len() + 1 && all(&people_only).len() == RULES.len() - 3);
    }

    #[test]
    fn every_kind_of_rule_has_a_name_of_the_document() {
        for kind in KINDS {
            for object in ObjectClass::ALL {
                let name = name_of(kind, object);
                assert_eq!(named(name).unwrap(), name);
                assert!(kinds_of(name).contains(&(kind, object)));
            }
        }
        for rule in RULES {
            assert!(rule.objects.iter().all(|object| name_of(rule.kind, *object) == rule.name), "{}", rule.name);
        }
    }
}
