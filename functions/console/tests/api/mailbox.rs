//! A mail server that accepts and keeps every mail.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::world::World;

/// The mails that the server received.
#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    mails: Arc<Mutex<Vec<Mail>>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) to: String,
    /// The headers and the body as received.
    pub(crate) raw: String,
}

impl Mail {
    /// The code: six digits at the beginning of a line.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let code = self.raw.lines().find_map(|line| {
            let (digits, _) = line.split_once(' ')?;
            (digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
        });
        code.unwrap_or_else(|| panic!("no code in {}", self.raw))
    }
}

impl Mailbox {
    /// Starts the server and makes it the email provider of the deployment.
    pub(crate) async fn of(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let mailbox = Self::default();
        let kept = mailbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move { kept.serve(stream).await });
            }
        });
        let settings = json!({"host": "127.0.0.1", "port": port, "tls": "none", "from": "alerts@example.com"});
        world.put("/providers/email", &json!({"settings": settings})).await.is(200);
        mailbox
    }

    /// The mails since the last call, oldest first.
    pub(crate) fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.mails.lock().expect("no test panics while it holds this"))
    }

    /// The only mail since the last call.
    #[track_caller]
    pub(crate) fn take_one(&self) -> Mail {
        let mut mails = self.take();
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    async fn serve(self, stream: TcpStream) {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let (mut mail, mut in_data) = (Mail::default(), false);
        let mut reply = "220 mail.test";
        loop {
            if !reply.is_empty() {
                writer.write_all(format!("{reply}\r\n").as_bytes()).await.expect("written");
            }
            let Ok(Some(line)) = lines.next_line().await else { return };
            let command = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            reply = match command.as_str() {
                _ if in_data && line == "." => {
                    in_data = false;
                    self.mails.lock().expect("no test panics while it holds this").push(std::mem::take(&mut mail));
                    "250 taken"
                }
                _ if in_data => {
                    mail.raw.push_str(&line);
                    mail.raw.push('\n');
                    ""
                }
                "RCPT" => {
                    line.trim_start_matches("RCPT TO:").trim_matches(['<', '>']).clone_into(&mut mail.to);
                    "250 known"
                }
                "DATA" => {
                    in_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 OK",
            };
        }
    }
}
