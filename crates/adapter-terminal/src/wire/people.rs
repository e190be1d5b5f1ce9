//! The fields of a person, as commands send them.

use serde_json::{Map, Value};

use super::Fields;
use crate::codes::people::Flaw;

/// The fields of a person that were sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PersonFields {
    pub(crate) custom_id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) person_type: Option<i64>,
    pub(crate) temp_card_type: Option<i64>,
    pub(crate) valid_begin: Option<String>,
    pub(crate) valid_end: Option<String>,
    pub(crate) effect_number: Option<i64>,
    pub(crate) nation: Option<i64>,
    pub(crate) gender: Option<i64>,
    pub(crate) id_card: Option<String>,
    pub(crate) birthday: Option<String>,
    pub(crate) telnum: Option<String>,
    pub(crate) native: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) notes: Option<String>,
    pub(crate) card_num: Option<String>,
    pub(crate) rf_card: Option<String>,
    pub(crate) pic: Option<String>,
    pub(crate) pic_uri: Option<String>,
    pub(crate) check_similarity: bool,
    pub(crate) own: OwnFields,
    /// The first value that the document does not allow.
    pub(crate) flaw: Option<Flaw>,
}

/// The fields that only this document knows of a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OwnFields(Map<String, Value>);

const CARD_NUM: &str = "cardNum2";
const RF_CARD: &str = "RFIDCard";
const NUMBERS: [&str; 6] = ["cardType2", "WiegandType", "WGFacilityCode", "CardMode", "RFCardMode", "cardType"];

impl PersonFields {
    /// Reads the fields; whether the document allows their values is not checked here.
    pub(crate) fn read(fields: &Fields) -> Self {
        let (text, filled, int) = (|name| fields.text(name), |name| fields.filled(name), |name| fields.int(name));
        Self {
            custom_id: filled("customId"),
            name: text("name"),
            person_type: int("personType"),
            temp_card_type: fields.first(&["tempCardType", "tempValid"], Fields::int),
            valid_begin: fields.first(&["cardValidBegin", "validBegin"], Fields::filled),
            valid_end: fields.first(&["cardValidEnd", "validEnd"], Fields::filled),
            effect_number: fields.first(&["EffectNumber", "effectNumber"], Fields::int),
            nation: int("nation"),
            gender: int("gender"),
            id_card: text("idCard"),
            birthday: text("birthday"),
            telnum: text("telnum1"),
            native: text("native"),
            address: text("address"),
            notes: text("notes"),
            card_num: filled(CARD_NUM),
            rf_card: filled(RF_CARD),
            pic: filled("pic"),
            pic_uri: filled("picURI"),
            check_similarity: int("isCheckSimilarity") == Some(1),
            own: OwnFields::read(fields),
            flaw: None,
        }
    }
}

impl OwnFields {
    fn read(fields: &Fields) -> Self {
        let mut own = Map::new();
        for name in NUMBERS {
            own.extend(fields.int(name).map(|number| (name.to_owned(), number.into())));
        }
        for name in [CARD_NUM, RF_CARD] {
            own.extend(fields.filled(name).map(|text| (name.to_owned(), text.into())));
        }
        Self(own)
    }

    /// The fields of a kept note; none when it cannot be read.
    pub(crate) fn kept(note: &str) -> Self {
        Self(serde_json::from_str(note).unwrap_or_default())
    }

    /// The note to keep; `None` for no fields.
    pub(crate) fn note(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| Value::Object(self.0.clone()).to_string())
    }

    /// With the fields that were sent.
    #[must_use]
    pub(crate) fn with(mut self, sent: &Self) -> Self {
        self.0.extend(sent.0.clone());
        self
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// The Wiegand card as the platform wrote it.
    pub(crate) fn card_num(&self) -> Option<&str> {
        self.0.get(CARD_NUM).and_then(Value::as_str)
    }

    /// The card of the built-in reader as the platform wrote it.
    pub(crate) fn rf_card(&self) -> Option<&str> {
        self.0.get(RF_CARD).and_then(Value::as_str)
    }
}
