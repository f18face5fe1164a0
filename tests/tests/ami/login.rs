use std::time::Duration;

use agi_ami::{Connection, ConnectionError, Credentials, End, Event, Options};
use agi_tests::ami::{Action, Ami, Service};

use super::{MS, SECOND, ended};

const GREETING: &[u8] = b"Asterisk Call Manager/5.0.4\r\n";

fn service(credentials: Credentials) -> Service {
    let connection = Connection::new(credentials, Options::default(), 1, Duration::ZERO).unwrap();
    Service { connection, events: vec![], error: None, is_up: true, actions: vec![] }
}

fn md5() -> Service {
    service(Credentials::new("agi", "sekret").unwrap())
}

/// Reads an answer to the one action that was sent.
fn answer(service: &mut Service, action: &Action, rest: &str) -> Vec<Action> {
    let id = action.text("ActionID");
    service.read(rest.replacen("\r\n", &format!("\r\nActionID: {id}\r\n"), 1).as_bytes(), Duration::ZERO);
    service.poll()
}

#[test]
fn the_secret_is_proved_by_the_challenge() {
    let mut service = md5();
    assert!(service.poll().is_empty(), "Asterisk speaks first");
    service.read(GREETING, Duration::ZERO);
    let challenge = &service.poll()[0];
    assert_eq!((challenge.text("Action"), challenge.text("AuthType")), ("Challenge".into(), "MD5".into()));
    let login = &answer(&mut service, challenge, "Response: Success\r\nChallenge: 193235648\r\n\r\n")[0];
    assert_eq!((login.text("Action"), login.text("AuthType")), ("Login".into(), "MD5".into()));
    assert_eq!((login.text("Username"), login.text("Events")), ("agi".into(), "agi,call".into()));
    assert_eq!(login.text("Key"), "91aa9b0dbc7aaf2c33d4e1e437e7d02a");
    assert_eq!(login.text("Secret"), "");
    assert!(!service.connection.is_ready());
    let status =
        &answer(&mut service, login, "Response: Success\r\nMessage: Authentication accepted\r\n\r\n")[0];
    assert_eq!(service.events, [Event::Ready]);
    assert!(service.connection.is_ready());
    assert_eq!(status.text("Action"), "Status", "it looks for calls that wait");
}

#[test]
fn the_secret_is_sent_where_that_is_wanted() {
    let mut service = service(Credentials::new("agi", "sekret").unwrap().plain());
    service.read(GREETING, Duration::ZERO);
    let login = &service.poll()[0];
    assert_eq!((login.text("Action"), login.text("Secret")), ("Login".into(), "sekret".into()));
    answer(&mut service, login, "Response: Success\r\n\r\n");
    assert_eq!(service.events, [Event::Ready]);
}

#[test]
fn a_refused_login_is_final() {
    let mut service = md5();
    service.read(GREETING, Duration::ZERO);
    let challenge = &service.poll()[0];
    let login = &answer(&mut service, challenge, "Response: Success\r\nChallenge: 1\r\n\r\n")[0];
    answer(&mut service, login, "Response: Error\r\nMessage: Authentication failed\r\n\r\n");
    let error = ConnectionError::Refused { message: "Authentication failed".into() };
    assert_eq!(error.to_string(), "login: refused: Authentication failed");
    for _ in 0..2 {
        assert_eq!(service.connection.poll_event(), Err(error.clone()));
    }
    assert_eq!(service.connection.poll_timeout(), None);
    service.connection.handle_eof();
    assert_eq!(service.connection.poll_event(), Err(error), "it repeats");
}

#[test]
fn another_server_is_told() {
    let mut service = md5();
    service.read(b"SSH-2.0-OpenSSH_9\x01\r\n", Duration::ZERO);
    service.poll();
    assert_eq!(
        service.error,
        Some(ConnectionError::NotAManager { greeting: "SSH-2.0-OpenSSH_9\\x01".into() })
    );
}

#[test]
fn a_stream_that_ends_during_the_login_is_closed() {
    let mut service = md5();
    service.read(GREETING, Duration::ZERO);
    service.connection.handle_eof();
    assert!(service.poll().is_empty(), "nothing is written to it");
    assert_eq!(service.events, [Event::Closed]);
    assert_eq!(service.connection.poll_event(), Ok(None));
}

#[test]
fn a_peer_that_says_nothing_is_given_up() {
    let mut service = md5();
    assert_eq!(service.connection.poll_timeout(), Some(10 * SECOND));
    service.connection.handle_timeout(10 * SECOND - MS);
    assert_eq!(service.connection.poll_event(), Ok(None));
    service.connection.handle_timeout(10 * SECOND);
    assert_eq!(service.connection.poll_event(), Err(ConnectionError::Silent));
}

#[test]
fn a_silent_connection_is_pinged_and_then_given_up_with_its_calls() {
    let mut ami = Ami::with(Options::default());
    let call = ami.call("1.1");
    ami.actions(0);
    ami.wait(20 * SECOND);
    assert_eq!(ami.actions(0), ["Ping"]);
    assert_eq!(ami.services[0].error, None, "it was answered");
    ami.services[0].connection.handle_timeout(ami.now + 25 * SECOND);
    ami.services[0].connection.handle_timeout(ami.now + 35 * SECOND);
    assert_eq!(ami.services[0].connection.poll_event(), Ok(Some(ended(call, End::Lost))));
    assert_eq!(ami.services[0].connection.poll_event(), Err(ConnectionError::Silent));
    assert_eq!(ami.services[0].connection.poll_transmit(), None);
}

#[test]
fn a_user_who_may_not_send_commands_is_told() {
    let mut ami = Ami::with(Options::default());
    let call = ami.call("1.1");
    ami.refusals.insert("AGI".into(), "Permission denied".into());
    ami.send(call, "NOOP");
    assert_eq!(ami.events(0), [ended(call, End::Lost)]);
    let error = ami.services[0].error.clone().unwrap();
    assert_eq!(error.to_string(), "AGI: denied: Permission denied; the manager user needs write = agi");
}

#[test]
fn what_the_user_may_not_do_is_told_once_and_done_without() {
    let mut ami = Ami::default();
    for action in ["Status", "SendFlash"] {
        ami.refusals.insert(action.into(), "Permission denied".into());
    }
    ami.join(Options::default());
    let denied = |action| Event::Denied { action, message: "Permission denied".into() };
    assert_eq!(ami.events(0), [denied("Status")]);
    let call = ami.call("1.1");
    ami.send(call, "NOOP");
    assert_eq!(ami.events(0).iter().filter(|&event| *event == denied("SendFlash")).count(), 1);
    ami.actions(0);
    ami.send(call, "NOOP");
    assert_eq!(ami.actions(0), ["NOOP"]);
    ami.wait(100 * SECOND);
    assert!(!ami.actions(0).contains(&"Status".into()));
}

#[test]
fn a_message_beyond_the_limit_is_final() {
    let mut ami = Ami::with(Options::default());
    let call = ami.call("1.1");
    ami.services[0].connection.handle_input(&vec![b'x'; 262_145], ami.now);
    ami.services[0].poll();
    assert_eq!(ami.events(0), [ended(call, End::Lost)]);
    assert_eq!(ami.services[0].error, Some(ConnectionError::TooLong { limit: 262_144 }));
}

#[test]
fn a_logoff_ends_the_connection() {
    let mut ami = Ami::with(Options::default());
    let call = ami.call("1.1");
    ami.services[0].connection.logoff();
    ami.settle();
    ami.settle();
    assert_eq!(ami.events(0), [ended(call, End::Lost), Event::Closed]);
    assert_eq!(ami.services[0].error, None);
}
