//! Face libraries.

use domain::{Library, LibraryFilter, LibraryId, LibraryKind, LibraryName};
use jiff::tz::TimeZone;

use super::time;
use crate::codes::Fault;
use crate::wire::libraries::{Lib, LibKey, QueryLibs};
use crate::wire::{Int, Text};

/// 1 blacklist, 2 whitelist.
pub(crate) fn kind(lib_type: Int) -> Result<LibraryKind, Fault> {
    match lib_type.0 {
        1 => Ok(LibraryKind::Block),
        2 => Ok(LibraryKind::Allow),
        _ => Err(Fault::parameter("lib_type is not 1 or 2")),
    }
}

/// 1 blacklist, 2 whitelist.
pub(crate) fn lib_type(kind: LibraryKind) -> i64 {
    match kind {
        LibraryKind::Block => 1,
        LibraryKind::Allow => 2,
    }
}

/// A library's name, 1..=64 characters.
pub(crate) fn name(lib_name: Text) -> Result<LibraryName, Fault> {
    LibraryName::new(lib_name.0).map_err(|_| Fault::parameter("lib_name is not 1 to 64 printable characters"))
}

/// The conditions of 1034.
pub(crate) fn filter(query: QueryLibs) -> Result<LibraryFilter, Fault> {
    Ok(LibraryFilter {
        id: query.lib_id.map(|id| LibraryId(id.0)),
        name: query.lib_name.and_then(Text::filled),
        kind: query.lib_type.map(kind).transpose()?,
    })
}

/// A row of 1028 and 1034.
pub(crate) fn row(library: &Library, zone: &TimeZone) -> Lib {
    Lib {
        create_time: time::text(library.created_at, zone),
        lib_id: library.id.0,
        lib_name: library.name.as_str().to_owned(),
        lib_type: lib_type(library.kind),
        picture_no: library.people,
        update_time: time::text(library.updated_at, zone),
    }
}

/// The answer to 1025 and 1027.
pub(crate) fn key(library: &Library) -> LibKey {
    LibKey { lib_id: library.id.0, lib_name: library.name.as_str().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_black_list_is_1_and_the_white_list_2() {
        for (number, meaning) in [(1, LibraryKind::Block), (2, LibraryKind::Allow)] {
            assert_eq!(kind(Int(number)).unwrap(), meaning);
            assert_eq!(lib_type(meaning), number);
        }
        assert!(kind(Int(0)).is_err() && kind(Int(3)).is_err());
    }

    #[test]
    fn a_library_needs_a_name() {
        assert!(name(Text(String::new())).unwrap_err().message().contains("lib_name"));
        assert!(name(Text("访客".into())).is_ok());
    }
}
