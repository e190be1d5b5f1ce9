//! Rules over the objects that cameras see.

use super::{Acts, Appliance};
use crate::surveillance::check_rule;
use crate::{Act, CameraId, Error, ObjectClass, Result, Rule, RuleId, RuleSettings};

/// Maximum number of rules of one camera; each costs microseconds with every frame.
const MAX_RULES: u32 = 64;

impl Appliance {
    /// Whether rules about objects of this class can be kept: a model that finds them is installed.
    pub fn finds_objects(&self, class: ObjectClass) -> bool {
        self.ports().objects.as_ref().is_some_and(|detector| detector.finds(class))
    }

    /// The rules of a camera in ascending order of id. Those about objects that no model finds are among them, but do not
    /// run. `NotFound(Camera)`.
    pub async fn rules(&self, camera: CameraId) -> Result<Vec<Rule>> {
        self.camera(camera).await?;
        let mut rules = self.blocking(|a| a.ports().settings.rules()).await?;
        rules.retain(|rule| rule.camera == camera);
        Ok(rules)
    }

    fn check_rule(&self, rule: &RuleSettings) -> Result<()> {
        check_rule(rule)?;
        if self.finds_objects(rule.object) {
            return Ok(());
        }
        Err(Error::NotSupported { what: "rules about objects that no installed model finds" })
    }
}

impl Acts<'_> {
    /// Gives a camera a rule, which is applied at once.
    ///
    /// # Errors
    /// `NotFound(Camera)`; `Invalid` for a name that is not of 1 to 64 characters, for an object that the kind is not
    /// about, for points that are not shares of the picture, for a line without two different ends, for an area without
    /// 3 to 6 corners or with edges that cross, and for options out of their range; `NotSupported` when no model finds
    /// such objects, and for a camera that delivers single pictures; `AlreadyExists(Rule)` when the camera has one of
    /// that name; `LimitReached(Rule)` beyond 64.
    pub async fn add_rule(self, camera: CameraId, rule: RuleSettings) -> Result<Rule> {
        let actor = self.permit(Act::RULE_ADD)?;
        self.appliance.check_rule(&rule)?;
        if self.appliance.camera(camera).await?.settings.source.delivers_pictures() {
            return Err(Error::NotSupported { what: "rules over single pictures" });
        }
        self.blocking(move |a| {
            let added = a.ports().settings.insert_rule(camera, &rule, MAX_RULES)?;
            a.audit(&actor, Act::RULE_ADD, &added.id);
            a.core.surveillance.note_change();
            Ok(added)
        })
        .await
    }

    /// Changes a rule, which starts again. `NotFound(Rule)`, and as [`add_rule`](Self::add_rule).
    pub async fn update_rule(self, id: RuleId, rule: RuleSettings) -> Result<Rule> {
        let actor = self.permit(Act::RULE_UPDATE)?;
        self.appliance.check_rule(&rule)?;
        self.blocking(move |a| {
            let changed = a.ports().settings.update_rule(id, &rule)?;
            a.audit(&actor, Act::RULE_UPDATE, &id);
            a.core.surveillance.note_change();
            Ok(changed)
        })
        .await
    }

    /// Removes a rule; what it found stays. `NotFound(Rule)`.
    pub async fn remove_rule(self, id: RuleId) -> Result<()> {
        let actor = self.permit(Act::RULE_REMOVE)?;
        self.blocking(move |a| {
            a.ports().settings.remove_rule(id)?;
            a.audit(&actor, Act::RULE_REMOVE, &id);
            a.core.surveillance.note_change();
            Ok(())
        })
        .await
    }
}
