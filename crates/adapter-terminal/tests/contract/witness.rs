//! A device whose every word is held against the catalogue.

use std::sync::Arc;

use domain::{Appliance, Limits, Options};
use serde_json::{Value, json};
use testkit::Rig;
use testkit::contract::Ledger;
use testkit::mqtt::{Broker, ID, Platform};

use crate::device::{Device, config};

pub(crate) struct Witness {
    pub(crate) broker: Broker,
    pub(crate) device: Device,
    pub(crate) platform: Platform,
    pub(crate) ledger: Arc<Ledger>,
}

impl Witness {
    pub(crate) async fn start(ledger: &Arc<Ledger>) -> Self {
        Self::start_of(ledger, testkit::options()).await
    }

    /// A device with room for less.
    pub(crate) async fn start_with(ledger: &Arc<Ledger>, limits: Limits) -> Self {
        Self::start_of(ledger, Options { limits, ..testkit::options() }).await
    }

    pub(crate) async fn start_of(ledger: &Arc<Ledger>, options: Options) -> Self {
        let broker = Broker::start().await;
        let platform = Platform::connect(broker.address(), None).await;
        let device = Device::start_on(Rig::start(options), config(broker.url()));
        device.wait_until_connected().await;
        Self { broker, device, platform, ledger: Arc::clone(ledger) }
    }

    pub(crate) async fn stop(self) {
        self.device.stop().await;
    }

    /// The same, where the device lost its power and `meanwhile` happened before it came back.
    pub(crate) async fn crash(self, meanwhile: impl AsyncFnOnce(&Appliance)) -> Self {
        let Self { broker, device, platform, ledger } = self;
        let handles = device.crash().await;
        let appliance = handles.restart(Limits::default()).unwrap();
        meanwhile(&appliance).await;
        let device = Device::start_on(Rig::run(appliance, handles), config(broker.url()));
        device.wait_until_connected().await;
        Self { broker, device, platform, ledger }
    }

    /// A command that must succeed, and the `info` of its answer.
    pub(crate) async fn ok(&self, operator: &str, info: Value) -> Value {
        self.ok_command(operator, json!({ "operator": operator, "info": info })).await
    }

    /// The same with other things beside `info`.
    pub(crate) async fn ok_command(&self, operator: &str, command: Value) -> Value {
        let said = command.to_string();
        let answer = self.platform.ask(command).await;
        self.note_success(operator, &answer, &said)
    }

    /// Holds the answer to a successful command against the catalogue; gives what was checked: `info`, and in `top`
    /// what stands beside it.
    pub(crate) fn note_success(&self, operator: &str, answer: &Value, said: &str) -> Value {
        let mut said: String = said.to_owned();
        said.truncate(300);
        let wanted = if operator == "SearchPersonList" { json!(200) } else { json!("200") };
        assert_eq!(answer["code"], wanted, "{said}: {}", answer["info"]);
        assert_eq!(answer["operator"], json!(format!("{operator}-Ack")), "{said}");
        let mut checked = answer["info"].clone();
        assert_eq!(checked["facesluiceId"], json!(ID), "{said}");
        let mut beside = answer.as_object().unwrap().clone();
        ["messageId", "operator", "code", "info", "result"].iter().for_each(|key| drop(beside.remove(*key)));
        if !beside.is_empty() {
            checked["top"] = Value::Object(beside);
        }
        assert_eq!(self.ledger.answer(operator, None, Some(&checked)), Ok(()), "{said}: {checked}");
        checked
    }

    /// A command that must be refused with this code.
    pub(crate) async fn refused(&self, operator: &str, info: Value, code: u16) {
        self.refused_command(operator, json!({ "operator": operator, "info": info }), code).await;
    }

    /// The same with other things beside `info`, or none.
    pub(crate) async fn refused_command(&self, operator: &str, command: Value, code: u16) {
        let mut said = command.to_string();
        said.truncate(300);
        let answer = self.platform.ask(command).await;
        assert_eq!(answer["code"], json!(code.to_string()), "{said}: {}", answer["info"]);
        assert_eq!(answer["operator"], json!(format!("{operator}-Ack")), "{said}");
        let info = &answer["info"];
        assert_eq!((&info["result"], &info["facesluiceId"]), (&json!("fail"), &json!(ID)), "{said}");
        let detail = info["detail"].as_str().unwrap();
        let has_table = code != 462 || self.ledger.has_table(operator);
        if has_table {
            assert_eq!(self.ledger.refusal(operator, None, code.into(), detail), Ok(()), "{said}");
        } else {
            assert_eq!(detail, "Parameter error", "{said}");
        }
    }

    /// The next message of an operator on a topic below the device's, held against the catalogue; gives its `info`.
    pub(crate) async fn event(&self, topic: &str, operator: &str) -> Value {
        self.event_on(&format!("mqtt/face/{ID}/{topic}"), operator, |_| true).await
    }

    pub(crate) async fn event_on(&self, topic: &str, operator: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let message = self.platform.wait_on(topic, |message| message["operator"] == operator && fits(message)).await;
        assert_eq!(self.ledger.event(operator, &message["info"], &[]), Ok(()), "{message}");
        message["info"].clone()
    }

    /// Enrols a person with a picture of the one who goes by this name.
    pub(crate) async fn enrol(&self, name: &str) {
        self.ok("EditPerson", person(name)).await;
    }
}

/// What it takes to enrol the one who goes by this name.
pub(crate) fn person(name: &str) -> Value {
    json!({
        "customId": name,
        "name": name,
        "personType": 0,
        "tempCardType": 0,
        "pic": crate::device::photo(name),
    })
}
