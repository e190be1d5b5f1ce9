//! What files say, and what is wrong with others.

use super::*;

/// The file "a.toml" with this text.
fn read(text: &str) -> Result<Config, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.toml");
    std::fs::write(&file, text).unwrap();
    let short = |problem: String| problem.replace(&format!("{}/", dir.path().display()), "");
    Config::read(&file).map_err(|problems| problems.into_iter().map(short).collect())
}

pub(super) fn config(text: &str) -> Config {
    read(text).unwrap()
}

pub(super) fn problems(text: &str) -> Vec<String> {
    read(text).err().unwrap_or_default()
}

#[test]
fn an_empty_file_is_the_default() {
    let config = config("");
    assert_eq!(config.console.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.storage.max_bytes, ByteSize::gib(20));
}

#[test]
fn an_unknown_key_is_answered_with_the_nearest_known_one() {
    assert_eq!(
        problems("[console]\nlisen = \"127.0.0.1:1\"\n[storag]\ndir = \"/x\""),
        [
            "`console.lisen` in a.toml line 2: unknown key; did you mean console.listen?",
            "`storag` in a.toml line 3: unknown key; did you mean storage?",
        ]
    );
}

#[test]
fn every_problem_has_a_line() {
    let text = "[device]\ntime_zone = \"Mars/Olympus\"\n[vision]\ndetect_every_ms = 5\n[sophon]\nuser = \"cloud\"";
    assert_eq!(problems(text).len(), 3);
}

#[test]
fn a_value_of_a_wrong_type_hides_no_other_mistake() {
    let text = "[vision]\nmin_face_px = \"60\"\nliveness = \"on\"\n[sensetime]\nenabled = \"yes\"\nchannels = -8\n\
                [storage]\nmax_bytes = 20\n[door]\nrelay_on = \"A0010\"\nmax_age_ms = 5";
    assert_eq!(
        problems(text),
        [
            "`vision.min_face_px` in a.toml line 2: invalid type: string \"60\", expected a whole number that is not negative",
            "`vision.liveness` in a.toml line 3: unknown variant `on`, expected `off` or `passive`",
            "`sensetime.enabled` in a.toml line 5: invalid type: string \"yes\", expected true or false",
            "`sensetime.channels` in a.toml line 6: invalid value: integer `-8`, expected a whole number that is not negative",
            "`storage.max_bytes` in a.toml line 8: invalid type: integer `20`, expected a text in quotation marks",
            "`door.relay_on` in a.toml line 10: \"A0010\" is not an even number of hexadecimal digits, like \"A00101A2\"",
            "`door.max_age_ms` in a.toml line 11: must be 100 to 60000",
        ]
    );
}

#[test]
fn what_is_not_toml_is_named_and_hides_no_other_mistake() {
    let text = "[sensetime]\nlisten = 0.0.0.0:8080\n[storage]\ndir = /var/lib\nwhen_full = \"never\"\n[vision]\ndetect_every_ms = 1";
    let problems = problems(text);
    let places = ["`sensetime.listen` in a.toml line 2", "`storage.dir` in a.toml line 4"];
    let places =
        places.into_iter().chain(["`storage.when_full` in a.toml line 5", "`vision.detect_every_ms` in a.toml line 7"]);
    assert!(places.zip(&problems).all(|(place, problem)| problem.starts_with(place)), "{problems:?}");
    assert_eq!(problems.len(), 4, "{problems:?}");
}

#[test]
fn a_section_written_as_something_else_is_a_problem_of_the_section() {
    let problems = problems("sensetime = 8080\n[reader]\nname = \"a\"\n[[facebox]]\nenabled = true");
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("`sensetime` in a.toml line 1: "), "{problems:?}");
    assert!(problems[1].starts_with("`reader` in a.toml line 2: "), "{problems:?}");
    assert!(problems[2].starts_with("`facebox` in a.toml line 4: "), "{problems:?}");
}

#[test]
fn channels_are_still_read_from_their_former_place() {
    assert_eq!(config("").channels(), 16);
    let former = config("[sensetime]\nchannels = 8");
    assert_eq!((former.channels(), former.warnings().len()), (8, 1));
    let both = config("[device]\nchannels = 16\n[sensetime]\nchannels = 8");
    assert_eq!(both.channels(), 16);
    assert_eq!(config("[device]\nchannels = 8").warnings(), [] as [&str; 0]);
    assert_eq!(problems("[device]\nchannels = 12"), ["`device.channels` in a.toml line 2: must be 8 or 16"]);
}

#[test]
fn a_key_that_is_there_twice_is_named() {
    let problems = problems("[device]\nname = \"a\"\nname = \"b\"");
    assert_eq!(problems, ["`device.name` in a.toml line 3: duplicate key"]);
}

#[test]
fn a_file_in_another_encoding_is_told_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.toml");
    std::fs::write(&file, b"[device]\nname = \"\xd5\xc5\"\n").unwrap();
    let problems = Config::read(&file).unwrap_err();
    assert!(problems[0].ends_with("a.toml line 2: is not UTF-8; save the file in that encoding"), "{problems:?}");
}

#[test]
fn a_mistyped_zone_is_answered_with_the_nearest() {
    assert_eq!(
        problems("[device]\ntime_zone = \"Asia/Shangai\""),
        [
            "`device.time_zone` in a.toml line 2: no time zone is named \"Asia/Shangai\"; did you mean \"Asia/Shanghai\"?"
        ]
    );
}

#[test]
fn the_documented_file_says_the_defaults() {
    let documented = include_str!("../../../../config/polyface.toml");
    // Readers are shown as an example: by default there is none.
    let (mut uncommented, mut example) = (String::new(), false);
    for line in documented.lines() {
        example = line == "#[[reader]]" || (example && !line.starts_with('['));
        let setting = line.strip_prefix('#').filter(|line| !example && is_setting(line));
        uncommented += &format!("{}\n", setting.unwrap_or(line));
    }
    assert_ne!(uncommented, documented);
    // The number of channels is shown as it counts without the key.
    let defaults = config("[device]\nchannels = 16");
    assert_eq!(config("").channels(), 16);
    assert_eq!(format!("{:#?}", config(&uncommented)), format!("{defaults:#?}"));
}

/// Whether it is a key with a value; an empty text stands for a key that is not set.
fn is_setting(line: &str) -> bool {
    line.split_once(" = ")
        .is_some_and(|(key, value)| value != "\"\"" && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

#[test]
fn a_password_never_shows() {
    let config = config("[accounts]\nadmin_password = \"hunter2\"");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(
        problems("[accounts]\nadmin_password = 123456"),
        ["`accounts.admin_password` in a.toml line 2: must be a text in quotation marks"]
    );
}
