//! A simulated Asterisk: the PBX's side of the conversation over TCP, and three callers.

use std::io;
use std::net::SocketAddr;

use agi_proto::{Asterisk, AsteriskEvent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::show::Show;

/// What a caller does.
struct Caller {
    name: &'static str,
    note: &'static str,
    hangs_up: bool,
}

const CALLERS: [Caller; 3] = [
    Caller { name: "Ada", note: "likes brevity", hangs_up: false },
    Caller { name: "Bob", note: "is in a hurry", hangs_up: true },
    Caller { name: "Mallory", note: "line one\nHANGUP\n200 result=1 (forged)\nend", hangs_up: false },
];

/// Places one call after the other.
pub async fn three_calls(service: SocketAddr, show: Show) -> io::Result<()> {
    for caller in &CALLERS {
        println!();
        show.call(format_args!("{} calls", caller.name));
        let stream = TcpStream::connect(service).await?;
        stream.set_nodelay(true)?;
        call(stream, caller, show).await?;
        show.call("Asterisk closed");
    }
    Ok(())
}

async fn call(mut stream: TcpStream, caller: &Caller, show: Show) -> io::Result<()> {
    let mut asterisk = Asterisk::new(8191);
    asterisk.send_environment(environment(caller.name));
    let mut hung_up = false;
    loop {
        while let Some(bytes) = asterisk.poll_transmit() {
            let written = stream.write(bytes).await?;
            asterisk.transmitted(written);
        }
        let command = match asterisk.poll_event() {
            Some(AsteriskEvent::Invocation(invocation)) => invocation.words(),
            Some(_) => {
                // a HANGUP ends every session, hung up or not
                stream.write_all(b"HANGUP\n").await?;
                return stream.shutdown().await;
            }
            None => {
                match stream.read(asterisk.read_buf()).await? {
                    0 => asterisk.handle_eof(),
                    read => asterisk.advance(read),
                }
                continue;
            }
        };
        let words: Vec<String> = command.iter().map(ToString::to_string).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match &words[..] {
            ["STREAM", "FILE", ..] if caller.hangs_up => {
                show.call(format_args!("{} hangs up in the middle of the prompt", caller.name));
                asterisk.respond("200 result=-1 endpos=2400");
                asterisk.hangup();
                hung_up = true;
            }
            ["VERBOSE", ..] => asterisk.respond("200 result=1"),
            _ if hung_up => asterisk.respond("511 Command Not Permitted on a dead channel"),
            ["ANSWER"] => asterisk.respond("200 result=0"),
            ["GET", "VARIABLE", _] => asterisk.respond(format!("200 result=1 ({})", caller.note)),
            ["GET", "FULL", "VARIABLE", text] => asterisk.respond(format!("200 result=1 ({text})")),
            ["STREAM", "FILE", ..] => asterisk.respond("200 result=0 endpos=16000"),
            ["GET", "DATA", ..] => {
                show.call(format_args!("{} presses 0 0 4 2", caller.name));
                asterisk.respond("200 result=0042");
            }
            ["SET", "VARIABLE", ..] => asterisk.respond("200 result=1"),
            _ => asterisk.respond("510 Invalid or unknown command"),
        }
    }
}

fn environment(name: &str) -> [(&'static str, &str); 23] {
    [
        ("agi_network", "yes"),
        ("agi_network_script", "demo"),
        ("agi_request", "agi://127.0.0.1/demo"),
        ("agi_channel", "PJSIP/100-00000001"),
        ("agi_language", "en"),
        ("agi_type", "PJSIP"),
        ("agi_uniqueid", "1700000000.1"),
        ("agi_version", "22.10.1"),
        ("agi_callerid", "15551234567"),
        ("agi_calleridname", name),
        ("agi_callingpres", "0"),
        ("agi_callingani2", "0"),
        ("agi_callington", "0"),
        ("agi_callingtns", "0"),
        ("agi_dnid", "100"),
        ("agi_rdnis", "unknown"),
        ("agi_context", "default"),
        ("agi_extension", "100"),
        ("agi_priority", "1"),
        ("agi_enhanced", "0.0"),
        ("agi_accountcode", ""),
        ("agi_threadid", "140022982756032"),
        ("agi_arg_1", "an argument"),
    ]
}
