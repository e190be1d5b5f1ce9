//! One control connection.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::line::{self, Line};
use super::passive::{Passive, Unread, receive};
use super::replies::{
    BAD_ARGUMENT, END, LOG_IN, NO_DATA, NO_OTHER, OK, ONLY_UPLOADS, STOPPING, TOO_LONG, UNKNOWN, WRONG_LOGIN,
};
use super::{Refused, Shared};

/// Maximum time for a client to read a reply.
const REPLY: Duration = Duration::from_secs(10);
/// Maximum number of commands before a login.
const COMMANDS_BEFORE_LOGIN: u32 = 16;
/// Failed logins that end a connection.
const FAILURES: u32 = 3;
/// The longest folder that is remembered, bytes.
const LONGEST_FOLDER: usize = 256;

/// One control connection.
pub(super) struct Session<'a> {
    shared: &'a Shared,
    peer: IpAddr,
    cancel: &'a CancellationToken,
    user: String,
    is_logged_in: bool,
    failures: u32,
    commands: u32,
    /// Where the client believes to be; nothing is there.
    folder: String,
    passive: Option<Passive>,
}

/// Whether the connection goes on after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    Close,
}

impl<'a> Session<'a> {
    /// `cancel` ends the connection, but not while a file is being taken.
    pub(super) fn new(shared: &'a Shared, peer: IpAddr, cancel: &'a CancellationToken) -> Self {
        let (user, folder) = (String::new(), "/".to_owned());
        Self { shared, peer, cancel, user, is_logged_in: false, failures: 0, commands: 0, folder, passive: None }
    }

    /// Serves the connection until it ends, is idle for too long, or is cancelled.
    pub(super) async fn run(mut self, stream: TcpStream) {
        let Ok(local) = stream.local_addr() else { return };
        let (reader, writer) = stream.into_split();
        let mut control = Control { reader: BufReader::new(reader), writer };
        let login_by = Instant::now() + self.shared.limits.login;
        if control.reply("220 ready").await.is_none() {
            return;
        }
        loop {
            let deadline = if self.is_logged_in { Instant::now() + self.shared.limits.idle } else { login_by };
            let line = timeout_at(deadline, line::read(&mut control.reader));
            let Some(line) = self.cancel.run_until_cancelled(line).await else {
                let _ = control.reply(STOPPING).await;
                return;
            };
            let next = match line {
                Ok(Ok(Line::Command(command, argument))) => self.obey(&mut control, local, &command, &argument).await,
                Ok(Ok(Line::TooLong)) => control.last(TOO_LONG).await,
                Ok(Ok(Line::End) | Err(_)) => Some(Next::Close),
                Err(_) => control.last("421 timed out").await,
            };
            if next != Some(Next::GoOn) {
                return;
            }
        }
    }

    /// Carries out a command; `None` when the reply cannot be sent.
    async fn obey(&mut self, control: &mut Control, local: SocketAddr, command: &str, argument: &str) -> Option<Next> {
        match command {
            "QUIT" => return control.last("221 bye").await,
            "USER" => {
                (self.user, self.is_logged_in) = (argument.to_owned(), false);
                return self.before_login(control, "331 password").await;
            }
            "PASS" => return self.log_in(control, argument).await,
            "NOOP" | "FEAT" | "SYST" | "OPTS" | "HELP" | "AUTH" => {
                return match self.is_logged_in {
                    true => control.go_on(talk(command, argument)).await,
                    false => self.before_login(control, talk(command, argument)).await,
                };
            }
            _ if !self.is_logged_in => return self.before_login(control, LOG_IN).await,
            "STOR" | "STOU" => return self.store(control).await,
            "LIST" | "NLST" | "MLSD" => return self.list(control).await,
            "PASV" | "EPSV" => {}
            _ => {
                let reply = self.move_about(command, argument);
                return control.go_on(&reply).await;
            }
        }
        let reply = self.open_passive(local, command).await;
        control.go_on(&reply).await
    }

    /// A reply to a client who is not logged in; too many commands end the connection.
    async fn before_login(&mut self, control: &mut Control, reply: &str) -> Option<Next> {
        self.commands += 1;
        if self.commands > COMMANDS_BEFORE_LOGIN { control.last(LOG_IN).await } else { control.go_on(reply).await }
    }

    async fn log_in(&mut self, control: &mut Control, password: &str) -> Option<Next> {
        if self.is_logged_in || self.user.is_empty() {
            return self.before_login(control, "503 send USER first").await;
        }
        if self.shared.uploads.log_in(&self.user, password, self.peer).await {
            (self.is_logged_in, self.failures, self.commands) = (true, 0, 0);
            return control.go_on("230 logged in").await;
        }
        self.failures += 1;
        if self.failures >= FAILURES { control.last(WRONG_LOGIN).await } else { control.go_on(WRONG_LOGIN).await }
    }

    /// Commands about folders and files, of which there are none.
    fn move_about(&mut self, command: &str, argument: &str) -> String {
        match command {
            "PWD" | "XPWD" => format!("257 \"{}\"", self.folder.replace('"', "\"\"")),
            "CWD" | "XCWD" => {
                self.folder = inside(&self.folder, argument);
                "250 ok".to_owned()
            }
            "CDUP" | "XCUP" => {
                self.folder = inside(&self.folder, "..");
                "250 ok".to_owned()
            }
            "MKD" | "XMKD" => format!("257 \"{}\"", inside(&self.folder, argument).replace('"', "\"\"")),
            "ABOR" => "226 nothing is transferred".to_owned(),
            "RETR" | "SIZE" | "MDTM" | "MLST" | "STAT" | "APPE" | "DELE" | "RMD" | "XRMD" | "RNFR" | "RNTO" => {
                ONLY_UPLOADS.to_owned()
            }
            // A server that connects where it is told could be used to reach others.
            "PORT" | "EPRT" => "502 only passive mode is supported".to_owned(),
            "REST" if argument.trim() == "0" => "350 from the start".to_owned(),
            "REST" => NO_OTHER.to_owned(),
            _ => talk(command, argument).to_owned(),
        }
    }

    async fn open_passive(&mut self, local: SocketAddr, command: &str) -> String {
        self.passive = None;
        let local = local.ip().to_canonical();
        let Ok(passive) = Passive::open(local, &self.shared.limits.passive_ports).await else {
            return "425 all data ports are taken".to_owned();
        };
        let port = passive.address().port();
        let reply = match (command, local) {
            ("EPSV", _) => format!("229 passive (|||{port}|)"),
            (_, IpAddr::V4(address)) => {
                let [a, b, c, d] = address.octets();
                format!("227 passive ({a},{b},{c},{d},{},{})", port >> 8, port & 0xff)
            }
            (_, IpAddr::V6(_)) => return "425 use EPSV".to_owned(),
        };
        self.passive = Some(passive);
        reply
    }

    /// The data connection that the client has opened, after the reply that it may.
    async fn data(&mut self, control: &mut Control) -> Option<Option<TcpStream>> {
        let Some(passive) = self.passive.take() else { return Some(None) };
        control.reply("150 ready").await?;
        let opened = passive.accept(self.peer, self.shared.limits.open);
        Some(self.cancel.run_until_cancelled(opened).await.flatten())
    }

    /// Takes a file, whatever it is called.
    async fn store(&mut self, control: &mut Control) -> Option<Next> {
        let Shared { limits, uploads, quotas, files } = self.shared;
        if !quotas.count_upload(self.peer) {
            self.passive = None;
            return control.go_on("450 too many files in this minute").await;
        }
        let Ok(Ok(_room)) = timeout(limits.open, files.acquire()).await else {
            self.passive = None;
            return control.go_on("450 busy").await;
        };
        let began = uploads.now();
        let Some(stream) = self.data(control).await? else { return control.go_on(NO_DATA).await };
        let receiving = receive(stream, limits.upload_bytes, limits.transfer);
        let Some(received) = self.cancel.run_until_cancelled(receiving).await else {
            return control.last(STOPPING).await;
        };
        let reply = match received {
            Ok(file) => match uploads.take(Bytes::from(file), self.peer, began).await {
                Ok(()) => "226 taken".to_owned(),
                Err(Refused::ForGood(why)) => format!("553 {why}"),
                Err(Refused::ForNow) => "450 not taken now".to_owned(),
            },
            Err(Unread::TooLarge) => "552 the file is too large".to_owned(),
            Err(Unread::Broken) => "426 the transfer failed".to_owned(),
        };
        control.go_on(&reply).await
    }

    /// Lists nothing: cameras try this before they upload.
    async fn list(&mut self, control: &mut Control) -> Option<Next> {
        match self.data(control).await? {
            Some(stream) => {
                drop(stream);
                control.go_on("226 nothing is here").await
            }
            None => control.go_on(NO_DATA).await,
        }
    }
}

/// Replies that depend on nothing.
fn talk(command: &str, argument: &str) -> &'static str {
    let argument = argument.trim().to_ascii_uppercase();
    match (command, argument.as_str()) {
        ("NOOP", _) | ("OPTS", "UTF8 ON" | "UTF8") | ("TYPE", "I" | "A" | "A N" | "L 8") => OK,
        ("MODE", "S") | ("STRU", "F") => OK,
        ("TYPE" | "MODE" | "STRU", _) => NO_OTHER,
        ("OPTS", _) => BAD_ARGUMENT,
        ("ALLO", _) => "202 not needed",
        ("SYST", _) => "215 UNIX Type: L8",
        ("HELP", _) => "214 uploads of pictures only",
        ("FEAT", _) => "211-extensions:\r\n EPSV\r\n UTF8\r\n211 end",
        _ => UNKNOWN,
    }
}

/// The folder that a client goes to, never above the root. It is only text that is sent back.
fn inside(folder: &str, path: &str) -> String {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let text: String = format!("/{}", parts.join("/")).chars().filter(|c| !c.is_control()).collect();
    if text.len() <= LONGEST_FOLDER { text } else { "/".to_owned() }
}

/// The two directions of a control connection.
struct Control {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Control {
    /// Sends a reply; `None` when the client does not read it.
    async fn reply(&mut self, text: &str) -> Option<()> {
        let line = [text, END].concat();
        timeout(REPLY, self.writer.write_all(line.as_bytes())).await.ok()?.ok()
    }

    async fn go_on(&mut self, text: &str) -> Option<Next> {
        self.reply(text).await.map(|()| Next::GoOn)
    }

    async fn last(&mut self, text: &str) -> Option<Next> {
        self.reply(text).await.map(|()| Next::Close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_is_above_the_root() {
        for (folder, path, there) in [
            ("/", "share", "/share"),
            ("/share", "../..", "/"),
            ("/share", "/../../etc/passwd", "/etc/passwd"),
            ("/a/b", "..", "/a"),
            ("/a", "./b//c/", "/a/b/c"),
            ("/", "a\r\n226 x", "/a226 x"),
        ] {
            assert_eq!(inside(folder, path), there, "{folder} {path}");
        }
        assert_eq!(inside("/", &"x".repeat(300)), "/");
    }
}
