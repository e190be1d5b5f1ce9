//! What is set for all cameras together, by platforms that know only one.

use std::time::Duration;

use super::{Acts, Appliance};
use crate::ports::Ports;
use crate::{
    Act, Area, Camera, CameraChange, CameraDefaults, CameraSettings, OwnValues, Result, Similarity, WatchSettings,
};

/// The setting that holds the defaults: threshold, milliseconds, pixels and the four edges of the area; `-` for what is
/// not set.
pub(super) const CAMERA_DEFAULTS: &str = "cameras.defaults";

/// The defaults that a platform has set.
pub(super) fn load(ports: &Ports) -> Result<CameraDefaults> {
    Ok(ports.settings.setting(CAMERA_DEFAULTS)?.as_deref().and_then(read).unwrap_or_default())
}

impl Appliance {
    /// What is set for every camera that has no value of its own.
    pub fn camera_defaults(&self) -> CameraDefaults {
        **self.core.surveillance.defaults().load()
    }

    pub(super) fn use_camera_defaults(&self, defaults: CameraDefaults) {
        self.core.surveillance.defaults().store(defaults.into());
        self.core.surveillance.note_change();
    }

    /// The camera as it is: with the defaults in place of what is not its own.
    pub(super) fn in_force(&self, camera: Camera) -> Camera {
        self.core.surveillance.in_force(camera)
    }
}

impl Acts<'_> {
    /// Sets what holds for every camera that has no value of its own, present and later; at once and over a restart.
    pub async fn set_camera_defaults(self, defaults: CameraDefaults) -> Result<()> {
        let actor = self.permit(Act::CAMERA_DEFAULTS)?;
        self.blocking(move |a| {
            a.ports().settings.set_setting(CAMERA_DEFAULTS, Some(&write(&defaults)))?;
            a.use_camera_defaults(defaults);
            a.audit(&actor, Act::CAMERA_DEFAULTS, &"all cameras");
            Ok(())
        })
        .await
    }

    /// Takes these values away from every camera that has them for its own: from now on all cameras follow the
    /// defaults.
    pub async fn release_cameras(self, values: OwnValues) -> Result<()> {
        let actor = self.permit(Act::CAMERA_RELEASE)?;
        self.blocking(move |a| {
            a.ports().settings.release_cameras(values)?;
            a.core.surveillance.note_change();
            a.audit(&actor, Act::CAMERA_RELEASE, &"all cameras");
            Ok(())
        })
        .await
    }
}

/// The values that differ: whoever changed them wants them for this camera.
pub(super) fn changed(
    (settings, before): (Option<&CameraSettings>, &CameraSettings),
    (watch, watch_before): (Option<&WatchSettings>, &WatchSettings),
) -> OwnValues {
    OwnValues {
        threshold: watch.is_some_and(|watch| watch.threshold != watch_before.threshold),
        rearm: watch.is_some_and(|watch| watch.rearm != watch_before.rearm),
        min_face_px: settings.is_some_and(|settings| settings.min_face_px != before.min_face_px),
        region: settings.is_some_and(|settings| settings.region != before.region),
    }
}

/// Puts what the camera was added with in place of what is not its own, so that it can come to it again.
pub(super) fn keep_followed(change: &mut CameraChange, stored: &Camera) {
    let own = stored.own.and(change.own);
    if let Some(settings) = &mut change.settings {
        settings.min_face_px = if own.min_face_px { settings.min_face_px } else { stored.settings.min_face_px };
        settings.region = if own.region { settings.region } else { stored.settings.region };
    }
    if let Some(watch) = &mut change.watch {
        let kept = &stored.watch.settings;
        watch.threshold = if own.threshold { watch.threshold } else { kept.threshold };
        watch.rearm = if own.rearm { watch.rearm } else { kept.rearm };
    }
}

fn write(defaults: &CameraDefaults) -> String {
    fn word(value: Option<impl ToString>) -> String {
        value.map_or_else(|| "-".to_owned(), |value| value.to_string())
    }
    let edges = defaults.area.map(|Area { left, top, right, bottom }| [left, top, right, bottom]);
    let mut words = vec![
        word(defaults.threshold.map(Similarity::value)),
        word(defaults.rearm.map(|rearm| rearm.as_millis())),
        word(defaults.min_face_px),
    ];
    words.extend((0..4).map(|edge| word(edges.map(|edges| edges[edge]))));
    words.join(" ")
}

fn read(kept: &str) -> Option<CameraDefaults> {
    let words: Vec<_> = kept.split(' ').collect();
    let [threshold, rearm, min_face_px, left, top, right, bottom] = words[..] else { return None };
    let edge = |word: &str| word.parse().ok();
    let area = || Some(Area { left: edge(left)?, top: edge(top)?, right: edge(right)?, bottom: edge(bottom)? });
    Some(CameraDefaults {
        threshold: threshold.parse().ok().map(Similarity::new),
        rearm: rearm.parse().ok().map(Duration::from_millis),
        min_face_px: min_face_px.parse().ok(),
        area: area(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_read_back_as_written() {
        let all = CameraDefaults {
            threshold: Some(Similarity::new(0.91)),
            rearm: Some(Duration::from_secs(5)),
            min_face_px: Some(124),
            area: Some(Area { left: 0.25, top: 0.0, right: 1.0, bottom: 0.5 }),
        };
        for defaults in [CameraDefaults::default(), all, CameraDefaults { area: None, ..all }] {
            assert_eq!(read(&write(&defaults)), Some(defaults));
        }
        assert_eq!(read(""), None);
    }
}
