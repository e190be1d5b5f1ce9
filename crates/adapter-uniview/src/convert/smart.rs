//! Smart tasks.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::geometry::Point;
use domain::{BehaviourKind, ClipSpan, Crossing, ObjectClass, RuleOptions, RuleSettings, SizeLimits};

use super::algorithms::{self, Finds};
use super::within;
use crate::codes::Fault;
use crate::wire::smart::{Graph, Points, Task, UpdateTask};
use crate::wire::{Fields, Ids, Int};

/// Maximum number of areas of a task.
const MAX_GRAPHS: usize = 10;
/// The highest coordinate.
const FAR: i64 = 10_000;

/// The numbers of a task, with the highest value of each. Those that the algorithm does not have are kept and shown.
const NUMBERS: [(&str, i64); 18] = [
    ("time_threshold", i32::MAX as i64),
    ("person_num_limit", i32::MAX as i64),
    ("person_float_limit", i32::MAX as i64),
    ("back_time_threshold", i32::MAX as i64),
    ("line_dpc_enable", 1),
    ("detour_area", 1),
    ("max_person_object_height", 1079),
    ("max_person_object_width", 1919),
    ("min_person_object_height", 1079),
    ("min_person_object_width", 1919),
    ("max_vehicle_object_height", 1079),
    ("max_vehicle_object_width", 1919),
    ("min_vehicle_object_height", 1079),
    ("min_vehicle_object_width", 1919),
    ("max_nonVehicle_object_height", 1079),
    ("max_nonVehicle_object_width", 1919),
    ("min_nonVehicle_object_height", 1079),
    ("min_nonVehicle_object_width", 1919),
];

/// The hour of a reset, beside the numbers above.
const RESET_HOUR: (&str, i64) = ("line_dpc_time", 23);

/// A task, checked.
///
/// # Errors
/// Code 4 for an algorithm of the document that does not run here, code 2 for anything else.
pub(crate) fn task(sent: UpdateTask, finds: Finds<'_>) -> Result<Task, Fault> {
    let algo_model = algorithms::run(&sent.algo_model.0, finds)?;
    let rule = algorithms::rule(algo_model);
    let numbers = numbers(&sent.others)?;
    check_sizes(&numbers)?;
    let object_type = sent.object_type.map(|Ids(kinds)| kinds);
    if object_type.iter().flatten().any(|kind| !(1..=3).contains(kind)) {
        return Err(Fault::argument("object_type is none of 1, 2, 3"));
    }
    let graphs = sent.graphs.unwrap_or_default();
    // Faces may be looked for in the whole picture.
    if graphs.len() > MAX_GRAPHS || (graphs.is_empty() && rule.is_some()) {
        return Err(Fault::argument("graphs are not 1 to 10"));
    }
    Ok(Task {
        algo_model: algo_model.to_owned(),
        numbers,
        object_type,
        workclothes_lib_list: sent.workclothes_lib_list.map(|Ids(libraries)| libraries),
        graphs: graphs
            .into_iter()
            .map(|graph| checked(graph, rule.is_some_and(|rule| rule.is_line)))
            .collect::<Result<_, _>>()?,
    })
}

/// The analysis of faces in the whole picture.
pub(crate) fn faces() -> Task {
    Task {
        algo_model: algorithms::FACES.to_owned(),
        numbers: BTreeMap::new(),
        object_type: None,
        workclothes_lib_list: None,
        graphs: Vec::new(),
    }
}

/// All tasks of a channel; one algorithm may stand there once.
pub(crate) fn tasks(sent: Vec<UpdateTask>, finds: Finds<'_>) -> Result<Vec<Task>, Fault> {
    let tasks: Vec<Task> = sent.into_iter().map(|sent| task(sent, finds)).collect::<Result<_, _>>()?;
    let mut names: Vec<_> = tasks.iter().map(|task| task.algo_model.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    if names.len() == tasks.len() { Ok(tasks) } else { Err(Fault::argument("an algorithm stands there twice")) }
}

fn numbers(others: &Fields) -> Result<BTreeMap<String, i64>, Fault> {
    let mut numbers = BTreeMap::new();
    for (name, most) in NUMBERS.into_iter().chain([RESET_HOUR]) {
        let Some(value) = others.get(name).filter(|value| !value.is_null()) else { continue };
        let number: Int = serde_json::from_value(value.clone()).map_err(|_| Fault::argument(name))?;
        numbers.insert(name.to_owned(), within(name, number, 0..=most)?);
    }
    Ok(numbers)
}

/// 0 is no bound (quirk "6.1 object sizes").
fn check_sizes(numbers: &BTreeMap<String, i64>) -> Result<(), Fault> {
    for (largest, most) in numbers.iter().filter(|(name, most)| name.starts_with("max_") && **most > 0) {
        let smallest = largest.replacen("max_", "min_", 1);
        if numbers.get(&smallest).is_some_and(|least| least > most) {
            return Err(Fault::argument(format!("{largest} is below {smallest}")));
        }
    }
    Ok(())
}

/// An area or a line, as the algorithm needs it.
fn checked(mut graph: Graph, is_line: bool) -> Result<Graph, Fault> {
    let graph_type = if is_line { "line" } else { "polygon" };
    if !graph.graph_type.is_empty() && graph.graph_type != graph_type {
        return Err(Fault::argument("graph_type is not that of the algorithm"));
    }
    let needed = if is_line { &graph.line } else { &graph.polygon };
    needed.as_ref().ok_or_else(|| Fault::argument(format!("{graph_type} is missing")))?;
    graph.polygon.iter().try_for_each(|area| check_points(area, 3..=6))?;
    graph.line.iter().chain(&graph.direction_line).try_for_each(|line| check_points(line, 2..=2))?;
    // The innermost wins (quirk "6.1 detour_area").
    let inner = graph.polygon.as_mut().and_then(|area| area.detour_area.take());
    for area in inner.iter().chain(&graph.detour_area) {
        within("detour_area", Int(*area), 0..=1_i64)?;
    }
    Ok(Graph { graph_type: graph_type.to_owned(), detour_area: inner.or(graph.detour_area), ..graph })
}

fn check_points(points: &Points, number: std::ops::RangeInclusive<usize>) -> Result<(), Fault> {
    let (x, y) = (coordinates(&points.point_x)?, coordinates(&points.point_y)?);
    let fits = x.len() == y.len() && number.contains(&x.len());
    if fits { Ok(()) } else { Err(Fault::argument("wrong number of points")) }
}

fn coordinates(text: &str) -> Result<Vec<i64>, Fault> {
    let number = |text: &str| text.trim().parse().ok().filter(|number| (0..=FAR).contains(number));
    let numbers: Option<Vec<i64>> = text.split(',').map(number).collect();
    numbers.ok_or_else(|| Fault::argument("a coordinate is not 0 to 10000"))
}

/// What is set of a rule beside its task.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tuning {
    pub(crate) sensitivity: Option<u8>,
    /// Seconds.
    pub(crate) every: Option<u32>,
    /// The alarm video of its channel.
    pub(crate) clip: Option<ClipSpan>,
}

/// The rules that a task is, one for each area and class; none for faces.
///
/// # Errors
/// Code 2 for a direction along its line.
pub(crate) fn rules(task: &Task, tuning: Tuning) -> Result<Vec<RuleSettings>, Fault> {
    let Some(rule) = algorithms::rule(&task.algo_model) else { return Ok(Vec::new()) };
    let wanted = task.object_type.iter().flatten().filter_map(|kind| class(*kind));
    let mut objects: Vec<_> = wanted.filter(|object| rule.objects.contains(object)).collect();
    if objects.is_empty() {
        objects.extend(rule.objects.first());
    }
    let mut rules = Vec::new();
    for (place, graph) in task.graphs.iter().enumerate() {
        for object in &objects {
            rules.push(RuleSettings {
                name: format!("{} {} {}", rule.name, place + 1, suffix(*object)),
                kind: rule.kind,
                object: *object,
                points: zone(graph, rule.is_line)?,
                direction: direction(graph, rule.kind)?,
                options: options(task, *object, tuning),
            });
        }
    }
    Ok(rules)
}

/// Whether a rule was made of a task: others may have made some too.
pub(crate) fn is_own(name: &str) -> bool {
    name.split(' ').next().is_some_and(|first| algorithms::rule(first).is_some())
}

/// 1 pedestrian, 2 non-motor vehicle, 3 motor vehicle (in searches and pushes the last two are the other way round).
fn class(kind: i64) -> Option<ObjectClass> {
    match kind {
        1 => Some(ObjectClass::Person),
        2 => Some(ObjectClass::Cycle),
        3 => Some(ObjectClass::Vehicle),
        _ => None,
    }
}

fn suffix(object: ObjectClass) -> &'static str {
    match object {
        ObjectClass::Person => "person",
        ObjectClass::Vehicle => "vehicle",
        ObjectClass::Cycle => "nonVehicle",
        ObjectClass::Dog => "dog",
    }
}

fn zone(graph: &Graph, is_line: bool) -> Result<Vec<Point>, Fault> {
    let points = if is_line { &graph.line } else { &graph.polygon };
    points.as_ref().map_or_else(|| Ok(Vec::new()), shares)
}

fn shares(points: &Points) -> Result<Vec<Point>, Fault> {
    let share = |number: i64| number as f32 / FAR as f32;
    let (x, y) = (coordinates(&points.point_x)?, coordinates(&points.point_y)?);
    Ok(x.into_iter().zip(y).map(|(x, y)| Point { x: share(x), y: share(y) }).collect())
}

/// Both ways, unless an arrow says which; a counting line has a way in.
fn direction(graph: &Graph, kind: BehaviourKind) -> Result<Crossing, Fault> {
    let default = if kind == BehaviourKind::LineCount { Crossing::AToB } else { Crossing::Both };
    let (Some(line), Some(arrow)) = (&graph.line, &graph.direction_line) else { return Ok(default) };
    match (&shares(line)?[..], &shares(arrow)?[..]) {
        (&[from, to], &[tail, head]) => Crossing::along([from, to], [tail, head])
            .ok_or_else(|| Fault::argument("direction_line does not cross its line")),
        _ => Ok(default),
    }
}

fn options(task: &Task, object: ObjectClass, tuning: Tuning) -> RuleOptions {
    let number = |name: &str| task.numbers.get(name).and_then(|number| u32::try_from(*number).ok());
    let default = RuleOptions::default();
    RuleOptions {
        sensitivity: tuning.sensitivity.unwrap_or(default.sensitivity),
        sizes: sizes(task, object),
        after: Duration::from_secs(number("time_threshold").unwrap_or_default().into()),
        every: Duration::from_secs(tuning.every.unwrap_or_default().into()),
        people: number("person_num_limit").unwrap_or_default(),
        tolerance: number("person_float_limit").unwrap_or_default(),
        reset_hour: number("line_dpc_time").filter(|_| number("line_dpc_enable") == Some(1)).map(|hour| hour as u8),
        // Faces are compared where the channel watches for somebody.
        identify: object == ObjectClass::Person,
        clip: tuning.clip,
    }
}

/// Pixels of a picture of 1920 by 1080; 0 is no bound.
fn sizes(task: &Task, object: ObjectClass) -> SizeLimits {
    let suffix = suffix(object);
    let share = |end: &str, side: &str, whole: f32| {
        let number = task.numbers.get(&format!("{end}_{suffix}_object_{side}")).copied().filter(|number| *number > 0);
        number.map(|number| number as f32 / whole)
    };
    SizeLimits {
        min_width: share("min", "width", 1920.0).unwrap_or(0.0),
        min_height: share("min", "height", 1080.0).unwrap_or(0.0),
        max_width: share("max", "width", 1920.0).unwrap_or(1.0),
        max_height: share("max", "height", 1080.0).unwrap_or(1.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::codes::Code;
    use crate::convert::algorithms::FACES;

    fn read(task: Value) -> Result<Task, Code> {
        super::task(serde_json::from_value(task).unwrap(), &|_| true).map_err(|fault| fault.code)
    }

    fn faces(field: &str, value: Value) -> Result<Task, Code> {
        let mut task = json!({"algo_model": "ObjectIsRecognized"});
        task[field] = value;
        read(task)
    }

    #[test]
    fn a_task_reads_back_as_it_was_sent() {
        let sent = json!({
            "algo_model": "ObjectIsRecognized", "time_threshold": 5, "max_person_object_width": 100,
            "min_person_object_width": 10, "object_type": [1, 3],
            "graphs": [{"graph_type": "polygon", "polygon": {"point_x": "50,9950,9950", "point_y": "50,50,9950"}}],
        });
        let mut more = sent.clone();
        more["title"] = json!("left over from a user interface");
        let task = read(more).unwrap();
        assert_eq!(serde_json::to_value(&task).unwrap(), sent);
        assert_eq!(serde_json::from_value::<Task>(sent).unwrap(), task);
    }

    #[test]
    fn areas_have_three_to_six_points_inside_the_picture() {
        let area = |x: &str, y: &str| faces("graphs", json!([{"polygon": {"point_x": x, "point_y": y}}]));
        assert_eq!(area("0,10000,5", "0,0,10000").unwrap().graphs[0].graph_type, "polygon");
        for (x, y) in [
            ("0,1", "0,1"),
            ("0,1,2,3,4,5,6", "0,1,2,3,4,5,6"),
            ("0,1,2", "0,1"),
            ("0,1,10001", "0,1,2"),
            ("0,1,-1", "0,1,2"),
            ("0,1,a", "0,1,2"),
            ("", ""),
        ] {
            assert_eq!(area(x, y), Err(Code::Arguments), "{x} {y}");
        }
        let three = json!({"point_x": "0,1,2", "point_y": "0,1,2"});
        let line = json!([{"graph_type": "polygon", "polygon": three, "direction_line": three}]);
        assert_eq!(faces("graphs", line), Err(Code::Arguments));
        assert_eq!(faces("graphs", json!([{"graph_type": "line", "line": three}])), Err(Code::Arguments));
        assert_eq!(faces("graphs", json!([{"graph_type": "polygon"}])), Err(Code::Arguments));
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert_eq!(faces("time_threshold", json!("7")).unwrap().numbers["time_threshold"], 7);
        for (field, value) in [
            ("time_threshold", json!(-1)),
            ("line_dpc_time", json!(24)),
            ("line_dpc_enable", json!(2)),
            ("max_person_object_height", json!(1080)),
            ("min_vehicle_object_width", json!("x")),
            ("object_type", json!([4])),
            ("detour_area", json!(2)),
        ] {
            assert_eq!(faces(field, value), Err(Code::Arguments), "{field}");
        }
        let sizes =
            json!({"algo_model": "ObjectIsRecognized", "max_person_object_width": 9, "min_person_object_width": 10});
        assert_eq!(read(sizes), Err(Code::Arguments));
        let unbounded =
            json!({"algo_model": "ObjectIsRecognized", "max_person_object_width": 0, "min_person_object_width": 10});
        assert!(read(unbounded).is_ok());
    }

    #[test]
    fn an_algorithm_stands_once_in_the_list() {
        let tasks = |names: &[&str]| {
            let list = names.iter().map(|name| serde_json::from_value(json!({"algo_model": name})).unwrap());
            super::tasks(list.collect(), &|_| true).map(|tasks| tasks.len()).map_err(|fault| fault.code)
        };
        assert_eq!(tasks(&[FACES]), Ok(1));
        assert_eq!(tasks(&[FACES, FACES]), Err(Code::Arguments));
        assert_eq!(tasks(&["FallOverAlarm"]), Err(Code::NotSupported));
    }

    #[test]
    fn a_task_becomes_a_rule_for_each_area_and_class() {
        let area = json!({"polygon": {"point_x": "0,10000,5000", "point_y": "0,0,10000"}});
        let task = read(json!({
            "algo_model": "FieldDetectorObjectsInside", "object_type": [1, 3], "graphs": [area, area],
            "max_vehicle_object_width": 960, "min_vehicle_object_height": 0,
        }))
        .unwrap();
        let rules = rules(&task, Tuning { sensitivity: Some(30), ..Tuning::default() }).unwrap();
        let names: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
        let expected =
            ["1 person", "1 vehicle", "2 person", "2 vehicle"].map(|end| format!("FieldDetectorObjectsInside {end}"));
        assert_eq!(names, expected);
        assert!(names.iter().all(|name| is_own(name)) && !is_own("threshold"));
        let vehicle = &rules[1];
        assert_eq!((vehicle.object, vehicle.options.sensitivity), (ObjectClass::Vehicle, 30));
        assert_eq!((vehicle.options.sizes.max_width, vehicle.options.sizes.min_height), (0.5, 0.0));
        assert_eq!(vehicle.points[2], Point { x: 0.5, y: 1.0 });
    }

    #[test]
    fn an_arrow_says_which_way_a_line_is_crossed() {
        let line = |arrow: Value| {
            let mut graph = json!({"graph_type": "line", "line": {"point_x": "1000,9000", "point_y": "5000,5000"}});
            graph["direction_line"] = arrow;
            let task = read(json!({"algo_model": "LineDetectorCrossed", "graphs": [graph]})).unwrap();
            rules(&task, Tuning::default()).map(|rules| rules[0].direction).map_err(|fault| fault.code)
        };
        let arrow = |y: &str| json!({"point_x": "5000,5000", "point_y": y});
        assert_eq!(line(json!(null)), Ok(Crossing::Both));
        assert_ne!(line(arrow("4000,6000")).unwrap(), line(arrow("6000,4000")).unwrap());
        assert_eq!(line(json!({"point_x": "1000,2000", "point_y": "4000,4000"})), Err(Code::Arguments));
    }
}
