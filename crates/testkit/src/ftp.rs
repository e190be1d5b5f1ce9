//! An FTP client, as cameras are and as they should not be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A control connection.
pub struct FtpClient {
    control: BufReader<TcpStream>,
}

impl FtpClient {
    /// Connects. Also returns the first reply; `None` when the server closes without one.
    ///
    /// # Panics
    /// When nothing listens.
    pub async fn connect(address: SocketAddr) -> (Self, Option<String>) {
        let mut client = Self { control: BufReader::new(TcpStream::connect(address).await.unwrap()) };
        let greeting = client.reply().await;
        (client, greeting)
    }

    /// Connects and logs in.
    ///
    /// # Panics
    /// When the login is refused.
    pub async fn logged_in(address: SocketAddr, user: &str, password: &str) -> Self {
        let (mut client, _) = Self::connect(address).await;
        assert_eq!(client.log_in(user, password).await, Some("230 logged in".to_owned()));
        client
    }

    /// Logs in; returns the reply to the password.
    pub async fn log_in(&mut self, user: &str, password: &str) -> Option<String> {
        self.say(&format!("USER {user}")).await?;
        self.say(&format!("PASS {password}")).await
    }

    /// Sends a command and returns the last line of its reply; `None` when the connection is closed.
    pub async fn say(&mut self, command: &str) -> Option<String> {
        self.send(format!("{command}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Sends bytes; a failure shows when the reply is read.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.control.get_mut().write_all(bytes).await;
    }

    /// The last line of the next reply; `None` when the connection is closed.
    pub async fn reply(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if !matches!(self.control.read_line(&mut line).await, Ok(read) if read > 0) {
                return None;
            }
            let is_last = line.len() > 3 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit) && &line[3..4] == " ";
            if is_last {
                return Some(line.trim_end().to_owned());
            }
        }
    }

    /// Asks for a data port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn passive(&mut self) -> SocketAddr {
        let reply = self.say("PASV").await.unwrap();
        let numbers = reply.split(['(', ')']).nth(1).unwrap_or_else(|| panic!("{reply}"));
        let numbers: Vec<u8> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
        let [a, b, c, d, high, low] = numbers[..] else { panic!("{reply}") };
        SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])))
    }

    /// Uploads a file; returns the last reply.
    pub async fn store(&mut self, name: &str, file: &[u8]) -> Option<String> {
        let port = self.passive().await;
        let begun = self.say(&format!("STOR {name}")).await?;
        if !begun.starts_with("150") {
            return Some(begun);
        }
        let mut data = TcpStream::connect(port).await.unwrap();
        // The server may close before all is sent.
        let _ = data.write_all(file).await;
        let _ = data.shutdown().await;
        self.reply().await
    }
}
