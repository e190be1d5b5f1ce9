//! Smart tasks.

use std::collections::BTreeMap;

use super::algorithms::{self, FACES};
use super::within;
use crate::codes::Fault;
use crate::wire::smart::{Graph, Points, Task, UpdateTask};
use crate::wire::{Fields, Ids, Int};

/// Maximum number of areas of a task.
const MAX_GRAPHS: usize = 10;
/// The highest coordinate.
const FAR: i64 = 10_000;

/// The numbers of a task that have no effect on what runs here: kept and shown as they were sent. With the highest value
/// of each.
const NUMBERS: [(&str, i64); 17] = [
    ("time_threshold", i32::MAX as i64),
    ("person_num_limit", i32::MAX as i64),
    ("person_float_limit", i32::MAX as i64),
    ("back_time_threshold", i32::MAX as i64),
    ("line_dpc_enable", 1),
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
pub(crate) fn task(sent: UpdateTask) -> Result<Task, Fault> {
    let algo_model = algorithms::run(&sent.algo_model.0)?;
    let numbers = numbers(&sent.others)?;
    check_sizes(&numbers)?;
    sent.detour_area.map(|area| within("detour_area", area, 0..=1_u8)).transpose()?;
    let object_type = sent.object_type.map(|Ids(kinds)| kinds);
    if object_type.iter().flatten().any(|kind| !(1..=3).contains(kind)) {
        return Err(Fault::argument("object_type is none of 1, 2, 3"));
    }
    let graphs = sent.graphs.unwrap_or_default();
    // Faces may be looked for in the whole picture.
    if graphs.len() > MAX_GRAPHS || (graphs.is_empty() && algo_model != FACES) {
        return Err(Fault::argument("graphs are not 1 to 10"));
    }
    Ok(Task {
        algo_model: algo_model.to_owned(),
        numbers,
        object_type,
        workclothes_lib_list: sent.workclothes_lib_list.map(|Ids(libraries)| libraries),
        graphs: graphs.into_iter().map(area).collect::<Result<_, _>>()?,
    })
}

/// All tasks of a channel; one algorithm may stand there once.
pub(crate) fn tasks(sent: Vec<UpdateTask>) -> Result<Vec<Task>, Fault> {
    let tasks: Vec<Task> = sent.into_iter().map(task).collect::<Result<_, _>>()?;
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

/// An area: all that runs here is about areas.
fn area(graph: Graph) -> Result<Graph, Fault> {
    if !matches!(graph.graph_type.as_str(), "" | "polygon") {
        return Err(Fault::argument("graph_type is not that of the algorithm"));
    }
    let polygon = graph.polygon.ok_or_else(|| Fault::argument("polygon is missing"))?;
    check_points(&polygon, 3..=6)?;
    for line in graph.line.iter().chain(&graph.direction_line) {
        check_points(line, 2..=2)?;
    }
    Ok(Graph { graph_type: "polygon".to_owned(), polygon: Some(polygon), ..graph })
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::codes::Code;

    fn read(task: Value) -> Result<Task, Code> {
        super::task(serde_json::from_value(task).unwrap()).map_err(|fault| fault.code)
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
            super::tasks(list.collect()).map(|tasks| tasks.len()).map_err(|fault| fault.code)
        };
        assert_eq!(tasks(&[FACES]), Ok(1));
        assert_eq!(tasks(&[FACES, FACES]), Err(Code::Arguments));
        assert_eq!(tasks(&["FallOverAlarm"]), Err(Code::NotSupported));
    }
}
