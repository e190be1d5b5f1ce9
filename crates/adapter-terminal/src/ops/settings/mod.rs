//! Settings that a platform reads and changes in groups.

mod faces;
mod groups;
mod liveness;
mod reports;

pub(crate) use faces::{forget as forget_faces, get_face_config, up_face_config};
pub(crate) use groups::{
    forget, forget_system, get_config, get_sound_config, get_tpt_config, up_config, up_sound_config, up_tpt_config,
};
pub(crate) use reports::{get_mqtt_config, up_mqtt_config};
