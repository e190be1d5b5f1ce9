//! Enrolments and removals until the daemon dies.

use serde_json::json;
use tokio::task::JoinSet;

use super::people::Register;
use crate::{SenseTime, cast};

/// People enrolled at a time: a search names 50 at most.
const MOST: usize = 36;

/// People who stay, so that a search has somebody to find.
const KEPT: usize = 12;

/// The running callers.
pub(super) struct Load(JoinSet<()>);

impl Load {
    /// Starts two who enrol and one who removes.
    pub(super) fn start(client: &SenseTime, library: i64, round: u32, register: Register) -> Self {
        let mut callers = JoinSet::new();
        for caller in ["a", "b"] {
            let prefix = format!("r{round}{caller}");
            callers.spawn(enrol(client.clone(), library, prefix, register.clone()));
        }
        callers.spawn(remove(client.clone(), library, register));
        Self(callers)
    }

    /// Waits until every caller has noticed that nobody answers.
    pub(super) async fn end(self) {
        self.0.join_all().await;
    }
}

async fn enrol(client: SenseTime, library: i64, prefix: String, register: Register) {
    let photos: Vec<_> = cast().iter().map(|actor| std::fs::read(&actor.enrolled).expect("a photo")).collect();
    for (number, (actor, photo)) in photos.iter().enumerate().cycle().enumerate() {
        while register.entries().enrolled.len() >= MOST {
            // Nothing to lose meanwhile: the daemon's life is short.
            if client.try_call(json!({"msg_id": "1281"})).await.is_none() {
                return;
            }
        }
        let code = format!("{prefix}{number}");
        register.entries().coming.insert(code.clone(), actor);
        let Some(answer) = client.try_enrol(library, &code, &code, photo).await else { return };
        let mut entries = register.entries();
        entries.coming.remove(&code);
        if answer.code == 0 {
            entries.enrolled.insert(code, actor);
        } else {
            entries.refusals.push(format!("the enrolment of {code} was refused: {} {}", answer.code, answer.msg));
        }
    }
}

/// Removes who is there, the oldest and the newest in turn.
async fn remove(client: SenseTime, library: i64, register: Register) {
    for turn in 0.. {
        let next = {
            let mut entries = register.entries();
            let some = entries.enrolled.len() > KEPT || entries.removed.is_empty();
            let mut codes = entries.enrolled.keys().filter(|_| some);
            let code = if turn % 2 == 0 { codes.next() } else { codes.next_back() }.cloned();
            entries.going.extend(code.clone());
            code
        };
        let Some(code) = next else {
            if client.try_call(json!({"msg_id": "1281"})).await.is_none() {
                return;
            }
            continue;
        };
        let request = json!({"msg_id": "1031", "lib_id": library, "img_id": code});
        let Some(answer) = client.try_call(request).await else { return };
        let mut entries = register.entries();
        entries.going.remove(&code);
        if answer.code == 0 {
            entries.enrolled.remove(&code);
            entries.removed.insert(code);
        } else {
            entries.refusals.push(format!("the removal of {code} was refused: {} {}", answer.code, answer.msg));
        }
    }
}
