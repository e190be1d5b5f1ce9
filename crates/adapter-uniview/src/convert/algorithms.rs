//! The algorithms of the document (14.3), and which of them this device runs.

use crate::codes::{Code, Fault};

/// Faces: capture and comparison.
pub(crate) const FACES: &str = "ObjectIsRecognized";

/// What this device runs, in the order of the lists.
pub(crate) const RUN: &[&str] = &[FACES];

/// What is in the document besides.
const OTHERS: &[&str] = &[
    "AbnormalParkingDetection",
    "AccessElevatorAlarm",
    "AreaPeopleCounting",
    "BareSoilCoverDetection",
    "ChannelBlockageDetection",
    "ChefClothesDetection",
    "ChefHatAlarm",
    "ClimbingDetectionAlarm",
    "CrowdDensityCriticalAlarm",
    "DirtyRoadDetection",
    "DisorderStackingDetection",
    "DogDetection",
    "DryingOnTheStreetDetection",
    "EnterArea",
    "ExposedGarbageDetection",
    "FallOverAlarm",
    "FastMoving",
    "FieldDetectorObjectsInside",
    "FightDetectionAlarm",
    "FireDetection",
    "FloatingObjOnRiverDetection",
    "FumesAlarmBegin",
    "IllegalBillboardsDetection",
    "IllegalUseOfAnUmbrellaDetection",
    "KnifeStickDetection",
    "LeaveArea",
    "LineDetectorCrossed",
    "LinePeopleCounting",
    "LongStayDetection",
    "MouseDetect",
    "NoMaskAlarm",
    "NonMotorAbnormalParkingDetection",
    "ObjectRemoved",
    "OffDutyDetectionAlarm",
    "OutsideTheStoreBusinessDetection",
    "PackedGarbageDetection",
    "PeopleGathering",
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
    "StayAloneDetection",
    "StreetVendorDetection",
    "SurfaceWaterDetection",
    "TelephoningAlarm",
    "TrashOverflowingDetection",
    "UncoveredTrashCanDetection",
    "UnwashedVehicleDetection",
    "WasteTruckDetection",
    "WorkClothesAlarm",
];

/// The algorithm of this name among those that run here.
///
/// # Errors
/// Code 4 for one of the document that does not run here, code 2 for any other name.
pub(crate) fn run(name: &str) -> Result<&'static str, Fault> {
    let name = named(name)?;
    if RUN.contains(&name) { Ok(name) } else { Err(Code::NotSupported.into()) }
}

/// The algorithm of this name in the document; code 2 for any other name.
pub(crate) fn named(name: &str) -> Result<&'static str, Fault> {
    known(name).ok_or_else(|| Fault::argument("algo_model is not in the document"))
}

/// The document's name; two have an alias (quirk "6.3, 6.4, 6.5 against 14.3").
fn known(name: &str) -> Option<&'static str> {
    let name = match name.trim() {
        "LineRuleData" => "LinePeopleCounting",
        "AreaRuleData" => "AreaPeopleCounting",
        other => other,
    };
    RUN.iter().chain(OTHERS).find(|known| **known == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_runs_here_or_only_elsewhere_or_nowhere() {
        assert_eq!(run(" ObjectIsRecognized").unwrap(), FACES);
        for name in ["FallOverAlarm", "LineRuleData", "AreaRuleData", "SharedBicylesRandomParkingDetection"] {
            assert_eq!(run(name).unwrap_err().code, Code::NotSupported, "{name}");
        }
        for name in ["", "objectisrecognized", "Faces"] {
            assert_eq!(run(name).unwrap_err().code, Code::Arguments, "{name}");
        }
        assert_eq!(known("LineRuleData"), Some("LinePeopleCounting"));
    }
}
