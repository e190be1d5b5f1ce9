//! People.

use adapter::lenient::{Int, Text};
use adapter::{PictureTextError, decode_picture};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::{Category, Library, Person, Profile, Window};
use serde_json::{Map, Value};

use super::bounded;
use crate::codes::{Code, Fault};
use crate::wire::people::{Info, PersonInfo, PersonRow};
use crate::wire::{self, Fields, Texts};

/// The largest picture, bytes.
pub(crate) const MAX_PICTURE: usize = 6 << 20;
/// Maximum length of a name, characters.
const MAX_NAME: usize = 128;
/// Maximum length of what is kept of a person as it is, bytes.
const MAX_MORE: usize = 16 << 10;
/// Maximum number of permission groups of a person.
const MAX_PERMISSIONS: usize = 64;
/// What `permission_ids` says of a person without one (quirk S-PERM0).
pub(crate) const NO_PERMISSION: &str = "0";
/// The keys of `info` that the device gives itself.
const OWN_KEYS: [&str; 5] = ["name", "type", "permission_ids", "user_id", "image_id"];
/// People of a page, unless the caller says how many, and at most.
const PAGE: i64 = 10;
const LARGEST_PAGE: i64 = 100;

/// `info` as it was sent, checked; `None` where a key was left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    name: Option<String>,
    category: Option<Category>,
    pub(crate) permission_ids: Option<Vec<String>>,
    /// The other keys.
    more: Map<String, Value>,
}

impl Details {
    /// Checks what was sent.
    pub(crate) fn new(info: Fields) -> Result<Self, Fault> {
        let Info { name, kind, permission_ids } = wire::read(info.clone())?;
        let more: Map<_, _> = info.into_iter().filter(|(key, _)| !OWN_KEYS.contains(&key.as_str())).collect();
        if Value::Object(more.clone()).to_string().len() > MAX_MORE {
            return Err(Fault::parameter("info is too large"));
        }
        Ok(Self {
            name: name.map(|Text(name)| bounded("name", name, MAX_NAME)).transpose()?,
            category: kind.map(category).transpose()?,
            permission_ids: permission_ids.map(permissions).transpose()?,
            more,
        })
    }

    /// With the document's defaults for what was left out: a person who is sent again is overwritten (5.1.1), so nobody
    /// keeps a permission that the platform has taken away.
    pub(crate) fn or_default(self) -> Self {
        let (category, permission_ids) = (self.category.unwrap_or_default(), self.permission_ids.unwrap_or_default());
        Self { category: Some(category), permission_ids: Some(permission_ids), ..self }
    }

    /// Whether a new person can be made of it: only with a name.
    pub(crate) fn require_name(&self) -> Result<(), Fault> {
        self.name.as_ref().map(drop).ok_or_else(|| Fault::parameter("info.name is missing"))
    }

    /// The profile with what was sent put in.
    pub(crate) fn put_into(self, profile: Profile) -> Profile {
        Profile {
            name: self.name.unwrap_or(profile.name),
            category: self.category.unwrap_or(profile.category),
            permission_groups: self.permission_ids.unwrap_or(profile.permission_groups),
            ..profile
        }
    }

    /// What was noted on the person, with the other keys put in.
    pub(crate) fn noted(&self, mut before: Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        before.extend(self.more.clone());
        let fits = Value::Object(before.clone()).to_string().len() <= MAX_MORE;
        if fits { Ok(before) } else { Err(Fault::parameter("info is too large")) }
    }
}

fn permissions(Texts(mut ids): Texts) -> Result<Vec<String>, Fault> {
    ids.retain(|id| id != NO_PERMISSION);
    let fit = ids.len() <= MAX_PERMISSIONS && ids.iter().all(|id| (1..=64).contains(&id.chars().count()));
    if fit { Ok(ids) } else { Err(Fault::parameter("permission_ids are too many or too long")) }
}

fn category(Int(number): Int) -> Result<Category, Fault> {
    match number {
        1 => Ok(Category::Staff),
        2 => Ok(Category::Visitor),
        3 => Ok(Category::Blocked),
        4 => Ok(Category::Stranger),
        5 => Ok(Category::Vip),
        _ => Err(Fault::parameter("info.type is none of 1 to 5")),
    }
}

/// The number of a category.
pub(crate) fn person_type(category: Category) -> u8 {
    match category {
        Category::Staff => 1,
        Category::Visitor => 2,
        Category::Blocked => 3,
        Category::Stranger => STRANGER,
        Category::Vip => 5,
    }
}

/// The number of somebody who is not known.
pub(crate) const STRANGER: u8 = 4;

/// A photo in base64.
pub(crate) fn photo(text: &str) -> Result<Bytes, Fault> {
    decode_picture(text, MAX_PICTURE).map_err(|error| match error {
        PictureTextError::TooLarge => Code::PictureTooLarge.into(),
        PictureTextError::Empty | PictureTextError::NotBase64 => Fault::with(Code::Picture, error.to_string()),
    })
}

/// What is told of a person.
pub(crate) fn info(person: &Person, more: Map<String, Value>, with_image: bool) -> PersonInfo {
    let mut permission_ids = person.profile.permission_groups.clone();
    if permission_ids.is_empty() {
        permission_ids.push(NO_PERMISSION.to_owned());
    }
    PersonInfo {
        name: person.profile.name.clone(),
        kind: person_type(person.profile.category),
        permission_ids,
        user_id: person.code.to_string(),
        image_id: with_image.then(|| person.photo.to_string()),
        more,
    }
}

/// The entry of a person in a list.
pub(crate) fn row(
    person: &Person,
    photo: Option<&Bytes>,
    libraries: &[Library],
    more: Map<String, Value>,
) -> PersonRow {
    PersonRow {
        identity_id: person.code.to_string(),
        reg_photo: photo.map(|photo| STANDARD.encode(photo)).unwrap_or_default(),
        group_name: groups(person, libraries),
        info: info(person, more, true),
    }
}

/// The names of the groups that a person is in.
pub(crate) fn groups(person: &Person, libraries: &[Library]) -> Vec<String> {
    let mine = libraries.iter().filter(|library| person.libraries.contains(&library.id));
    mine.map(|library| library.name.as_str().to_owned()).collect()
}

/// The page asked for: `limit` entries from number `skip_num` on (quirk S-SKIP).
pub(crate) fn window(limit: Option<Int>, skip_num: Option<Int>) -> Result<Window, Fault> {
    let limit = limit.map_or(PAGE, |Int(limit)| limit);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Fault::parameter(format!("limit is not 1 to {LARGEST_PAGE}")));
    }
    let skip = u64::try_from(skip_num.map_or(0, |Int(skip)| skip));
    let skip = skip.map_err(|_| Fault::parameter("skip_num is negative"))?;
    Ok(Window { skip, limit: limit as u32 })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn details(info: &Value) -> Result<Details, Fault> {
        Details::new(info.as_object().unwrap().clone())
    }

    #[test]
    fn keys_without_a_meaning_are_kept_and_those_of_the_device_are_not() {
        let sent = details(&json!({"name": "a", "aaa": 1, "user_id": "x", "permission_ids": ["0"]})).unwrap();
        assert_eq!(Value::Object(sent.noted(Map::new()).unwrap()), json!({"aaa": 1}));
        assert_eq!(sent.permission_ids, Some(vec![]));
        assert_eq!(sent.put_into(Profile::default()).name, "a");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for bad in [json!({"type": 6}), json!({"name": {}}), json!({"a": "x".repeat(MAX_MORE)})] {
            assert_eq!(details(&bad).unwrap_err().code, Code::Parameter, "{bad}");
        }
        assert!(window(Some(Int(0)), None).is_err() && window(None, Some(Int(-1))).is_err());
        assert_eq!(window(None, Some(Int(20))).unwrap(), Window { skip: 20, limit: 10 });
    }
}
