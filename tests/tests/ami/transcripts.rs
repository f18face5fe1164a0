//! What real Asterisks sent, replayed whole and split at every place.
//!
//! Ids differ from the recorded ones, so those of a recorded action are replaced by those of the action that was sent
//! in its place. What the recorded client sent and we cannot, two commands at once for one, is another client's.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use agi_ami::{CallId, Connection, ConnectionError, Credentials, End, Event};
use agi_tests::ami::{Action, Service};
use agi_tests::trace::{Line, Trace};

use super::asleep;

fn trace(name: &str) -> Vec<Line> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces/ami").join(name).with_extension("trace");
    Trace::read(&file).joined()
}

/// What was reported, and in its order what was sent.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    events: Vec<Event>,
    sent: Vec<String>,
    error: Option<ConnectionError>,
}

struct Replay {
    service: Service,
    /// The ids that Asterisk was given, by the recorded ones.
    ids: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Calls by their channel's name.
    calls: BTreeMap<Vec<u8>, CallId>,
    /// Actions that were sent and have no recorded one yet.
    sent: Vec<Action>,
    outcome: Outcome,
}

/// Plays Asterisk's part, each piece split at `place`.
fn replay(lines: &[Line], credentials: &Credentials, place: usize) -> Outcome {
    let connection = Connection::new(credentials.clone(), asleep(), 1, Duration::ZERO).unwrap();
    let service = Service { connection, events: vec![], error: None, is_up: true, actions: vec![] };
    let outcome = Outcome::default();
    let mut replay = Replay { service, ids: BTreeMap::new(), calls: BTreeMap::new(), sent: vec![], outcome };
    for line in lines {
        match line {
            Line::Received(bytes) => {
                let bytes = replay.with_our_ids(bytes);
                let (one, two) = bytes.split_at(place.min(bytes.len()));
                replay.read(one);
                replay.read(two);
            }
            Line::Sent(bytes) => replay.send(bytes),
            Line::Eof => replay.service.connection.handle_eof(),
            Line::Finish => panic!("not of this interface"),
        }
        replay.poll();
    }
    replay.outcome.error = replay.service.error;
    replay.outcome
}

impl Replay {
    fn read(&mut self, bytes: &[u8]) {
        self.service.read(bytes, Duration::ZERO);
        self.poll();
    }

    fn poll(&mut self) {
        let actions = self.service.poll();
        self.sent.extend(actions);
        for event in self.service.events.drain(..) {
            if let Event::Started { call, environment, .. } = &event {
                let mut lines = environment.split(|&byte| byte == b'\n');
                let channel = lines.find_map(|line| line.strip_prefix(b"agi_channel: ")).unwrap();
                self.calls.insert(channel.to_vec(), *call);
            }
            self.outcome.events.push(event);
        }
    }

    /// Does what the recorded client did first.
    fn send(&mut self, bytes: &[u8]) {
        let end = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        let recorded = Action::read(&bytes[..end]);
        if let (Some(call), false) =
            (self.calls.get(recorded.bytes("Channel")), recorded.text("CommandID").is_empty())
        {
            let line = recorded.bytes("Command");
            if self.service.connection.send(*call, line, Duration::ZERO).is_err() {
                return; // it has ended
            }
            self.poll();
        }
        let name = recorded.text("Action");
        let Some(at) = self.sent.iter().position(|sent| sent.text("Action") == name) else { return };
        let sent = self.sent.remove(at);
        for header in ["Command", "AuthType", "Username", "Secret", "Key"] {
            assert_eq!(sent.text(header), recorded.text(header), "{header} of {name}");
        }
        self.outcome.sent.push(format!("{name} {}", sent.text("Command")));
        for header in ["ActionID", "CommandID"] {
            self.ids.insert(recorded.bytes(header).to_vec(), sent.bytes(header).to_vec());
        }
    }

    fn with_our_ids(&self, bytes: &[u8]) -> Vec<u8> {
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
            let id = ["ActionID: ", "CommandId: "]
                .iter()
                .find_map(|key| Some((key, line.strip_prefix(key.as_bytes())?)));
            let ours = id.and_then(|(key, id)| Some((key, self.ids.get(id.strip_suffix(b"\r\n")?)?)));
            ours.map_or(line.to_vec(), |(key, id)| [key.as_bytes(), id, b"\r\n"].concat())
        });
        lines.collect::<Vec<_>>().concat()
    }
}

/// Replays a transcript with each piece split at every place; the outcome is always the same.
fn everywhere(name: &str, credentials: &Credentials) -> Outcome {
    let lines = trace(name);
    let longest =
        lines.iter().map(|line| if let Line::Received(bytes) = line { bytes.len() } else { 0 }).max();
    let whole = replay(&lines, credentials, 0);
    for place in 1..longest.unwrap() {
        assert_eq!(replay(&lines, credentials, place), whole, "{name}: each piece split at {place}");
    }
    whole
}

#[test]
fn commands() {
    let outcome = everywhere("commands", &Credentials::new("agi", "sekret").unwrap().plain());
    let (replies, others): (Vec<_>, Vec<_>) =
        outcome.events.into_iter().partition(|event| matches!(event, Event::Reply { .. }));
    let replies = replies.into_iter().map(|event| match event {
        Event::Reply { reply, .. } => String::from_utf8(reply).unwrap(),
        _ => unreachable!("they are all replies"),
    });
    let replies: Vec<_> = replies.collect();
    let expected = [
        "200 result=0\n",
        "200 result=0\n",
        "200 result=1 (Local/wait@peer-000001c3;1)\n",
        "200 result=1 (a\nb)\n",
        "510 Invalid or unknown command\n",
    ];
    assert_eq!(replies[..5], expected);
    assert!(
        replies[5].starts_with("520-Invalid command syntax.")
            && replies[5].ends_with("520 End of proper usage.\n")
    );
    let expected = [
        "200 result=0\n",
        "100 result=0 Trying...\n200 result=0 Gosub complete\n",
        "200 result=0 endpos=3520\n",
        "200 result=0\n",
        "200 result=-1\n",
        "200 result=0\n",
    ];
    assert_eq!(replies[6..], expected);
    let mut begun = 0;
    let others: Vec<_> = others
        .into_iter()
        .filter(|event| {
            !matches!(event, Event::Begun { .. }) || {
                begun += 1;
                false
            }
        })
        .collect();
    let [
        Event::Ready,
        Event::Started { call: one, .. },
        Event::Ended { call: first, end: End::Hangup },
        Event::Started { call: two, .. },
        Event::Ended { call: second, end: End::Broke },
    ] = &others[..]
    else {
        panic!("{others:?}");
    };
    assert_eq!((one, two), (first, second));
    assert_eq!(begun, replies.len());
    assert_eq!(outcome.sent.len(), 1 + replies.len());
}

#[test]
fn logins() {
    let credentials = Credentials::new("agionly", "sekret").unwrap();
    for version in ["login_md5_22", "login_md5_16"] {
        let outcome = everywhere(version, &credentials);
        assert_eq!(outcome.sent, ["Challenge ", "Login "]);
        assert_eq!((outcome.events, outcome.error), (vec![Event::Ready], None));
    }
    let outcome = everywhere("login_refused", &credentials.plain());
    let message = "Authentication failed".into();
    assert_eq!((outcome.events, outcome.error), (vec![], Some(ConnectionError::Refused { message })));
}
