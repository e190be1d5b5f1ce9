//! Searches for alarms of rules.

use domain::{BehaviourFilter, BehaviourKind, ComparedFilter, Comparison, ObjectCapture, ObjectClass};

use super::searches::{ALL_MATCHES, NONE, age_group, cameras, captured, one_of, person, similarity};
use super::{ALL, MAX_NAME, Paging, algorithms, bounded, people, push, seconds};
use crate::codes::Fault;
use crate::wire::Text;
use crate::wire::searches::{Alarm, AlarmMatch, Compared, Plate, Search};

/// The alarms asked for, and the page of them; no filter where nothing can be found.
pub(crate) struct WantedAlarms {
    pub(crate) filter: Option<BehaviourFilter>,
    pub(crate) paging: Paging,
}

/// What 11.1 asks for.
pub(crate) fn alarms(search: &Search) -> Result<WantedAlarms, Fault> {
    let only_compared = one_of("compare_flag", search.compare_flag, 1, &[1, 2])? == 2;
    // The conditions on a person belong to 11.3, but must make sense here too.
    comparison(search)?;
    wanted_alarms(search, only_compared.then(ComparedFilter::default))
}

/// What 11.3 asks for: alarms with a face that was compared.
pub(crate) fn compared_alarms(search: &Search) -> Result<WantedAlarms, Fault> {
    one_of("compare_flag", search.compare_flag, 1, &[1, 2])?;
    wanted_alarms(search, Some(comparison(search)?))
}

fn comparison(search: &Search) -> Result<ComparedFilter, Fault> {
    let part = |field, text: &Option<Text>| {
        text.clone().and_then(Text::filled).map(|text| bounded(field, text, MAX_NAME)).transpose()
    };
    Ok(ComparedFilter {
        accepted: match one_of("match_type", search.match_type, ALL, &[1, 2, ALL_MATCHES, ALL])? {
            1 => Some(true),
            2 => Some(false),
            _ => None,
        },
        name_part: part("name", &search.name)?,
        document_number_part: part("certificate_no", &search.certificate_no)?,
        similarity: search.similarity.map(similarity).transpose()?.flatten(),
    })
}

fn wanted_alarms(search: &Search, compared: Option<ComparedFilter>) -> Result<WantedAlarms, Fault> {
    let paging = Paging::new(search.page, search.pagesize)?;
    let captured = captured(search.start_time, search.end_time)?;
    if let Some(Text(plate)) = &search.plate_no {
        bounded("plate_no", plate.clone(), MAX_NAME)?;
    }
    let cameras = cameras(&search.channel_id);
    let kinds = kinds(search)?;
    // No rule reads number plates.
    let has_plate = search.plate_no.as_ref().is_some_and(|plate| !plate.0.is_empty());
    let nothing = has_plate || cameras.as_ref().is_some_and(Vec::is_empty);
    let nothing = nothing || kinds.as_ref().is_some_and(Vec::is_empty);
    let filter = BehaviourFilter {
        captured: Some(captured),
        cameras: cameras.unwrap_or_default(),
        kinds: kinds.unwrap_or_default(),
        fired_only: true,
        compared,
        ..BehaviourFilter::default()
    };
    Ok(WantedAlarms { filter: (!nothing).then_some(filter), paging })
}

/// The kinds of rules and classes asked for; `None`: all.
fn kinds(search: &Search) -> Result<Option<Vec<(BehaviourKind, ObjectClass)>>, Fault> {
    let names = search.algo_model.iter().flat_map(|names| &names.0).map(|name| algorithms::named(name));
    let names: Vec<_> = names.collect::<Result<_, _>>()?;
    let types: Vec<_> = search.object_type.iter().flat_map(|types| &types.0).copied().collect();
    if types.iter().any(|kind| !(1..=3).contains(kind)) {
        return Err(Fault::argument("object_type is none of 1, 2, 3"));
    }
    if names.is_empty() && types.is_empty() {
        return Ok(None);
    }
    let asked = if names.is_empty() { algorithms::all_of_rules() } else { names };
    let mut kinds: Vec<_> = asked.into_iter().flat_map(algorithms::kinds_of).collect();
    // The filter is one for area intrusion.
    let is_of =
        |object| types.iter().any(|kind| push::object_type(object).is_some_and(|number| i64::from(number) == *kind));
    kinds.retain(|(kind, object)| types.is_empty() || *kind != BehaviourKind::Area || is_of(*object));
    Ok(Some(kinds))
}

/// Addresses of the files of an alarm, with their sizes.
pub(crate) struct AlarmAddresses {
    pub(crate) scene: String,
    pub(crate) video: Option<String>,
    /// The enrolment photo of each comparison.
    pub(crate) photos: Vec<String>,
}

/// An alarm (11.1).
pub(crate) fn alarm(found: &ObjectCapture, addresses: AlarmAddresses) -> Alarm {
    let behaviour = &found.behaviour;
    // At least one entry (quirk "11.1 object_list").
    let targets = behaviour.targets.len().max(1);
    Alarm {
        alarm_id: found.seq.0,
        big_picture_url: addresses.scene,
        algo_model: algorithms::name_of(behaviour.kind, behaviour.object),
        capture_time: seconds(found.at),
        channel_id: found.camera.0,
        channel_name: behaviour.camera_name.clone(),
        video_url: addresses.video,
        object_list: (0..targets).map(|_| Plate { plate_no: "" }).collect(),
        compare_list: faces(found, addresses.photos),
    }
}

/// An alarm whose faces were compared (11.3).
pub(crate) fn alarm_match(found: &ObjectCapture, addresses: AlarmAddresses) -> AlarmMatch {
    let behaviour = &found.behaviour;
    let face = behaviour.comparisons.first().map(|face| face.attributes).unwrap_or_default();
    AlarmMatch {
        alarm_id: found.seq.0,
        big_picture_url: addresses.scene,
        algo_model: algorithms::name_of(behaviour.kind, behaviour.object),
        capture_time: seconds(found.at),
        channel_id: found.camera.0,
        channel_name: behaviour.camera_name.clone(),
        gender: people::sex(face.gender),
        age: age_group(face.age),
        glass: NONE,
        mask: NONE,
        object_list: faces(found, addresses.photos),
    }
}

/// The faces of an alarm that were compared, similar enough (1) or not (2).
fn faces(found: &ObjectCapture, photos: Vec<String>) -> Vec<Compared> {
    let compared = |(face, photo): (&Comparison, String)| {
        let match_type = if face.accepted().is_some() { 1 } else { 2 };
        Compared { small_picture_url: None, match_type, person: Some(person(&face.best, photo)) }
    };
    found.behaviour.comparisons.iter().zip(photos).map(compared).collect()
}
