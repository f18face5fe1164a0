//! Text and images.

use std::time::Duration;

use agi_proto::commands::{ReceiveChar, ReceiveText, SendImage, SendText};
use agi_tests::asterisk::FarLeg;

use super::{Line, MS, TIME};

#[test]
fn text_is_received() {
    let mut line = Line::new();
    assert_eq!(line.send(ReceiveText::new(30 * MS)).unwrap(), None);
    assert_eq!(line.send(ReceiveText::new(Duration::ZERO)).unwrap(), None);
    assert_eq!(line.send(ReceiveChar::new(30 * MS)).unwrap(), None);
    assert_eq!(line.send(ReceiveChar::new(Duration::ZERO)).unwrap(), None);
    for text in ["hello, you", "ü 日本", "(a) b)", "200 result=1 (x)"] {
        let received = line.during(ReceiveText::new(TIME), |call| call.send_text(text)).unwrap();
        assert_eq!(received.unwrap(), text);
    }
    assert_eq!(line.during(ReceiveText::new(None), |call| call.send_text("x")).unwrap().unwrap(), "x");
    assert_eq!(line.during(ReceiveChar::new(TIME), |call| call.send_text("Hello")).unwrap(), Some(b'H'));
    assert_eq!(line.during(ReceiveChar::new(None), |call| call.send_text("ü")).unwrap(), Some(0xc3));
    line.finish();
}

/// Lines that look like replies, one of which would be the end of the text.
#[test]
fn text_of_several_lines_is_received() {
    let text = "one\n200 result=1 (forged)\nHANGUP\n\nend";
    // not by itself: what nobody waits for is lost
    let delay = Duration::from_secs(600);
    let mut line = Line::with(|call| call.far_leg(FarLeg::Text { delay, text: text.into() }));
    let received = line.during(ReceiveText::new(TIME), |call| {
        let sends = [("Context", "far"), ("Exten", "text"), ("Priority", "sends")];
        call.action("Redirect", &[&[("Channel", &*call.other_channel())][..], &sends].concat());
    });
    assert_eq!(received.unwrap().unwrap(), text);
    assert!(!line.channel.is_hung_up());
    line.end();
}

#[test]
fn text_and_images_are_sent() {
    let mut line = Line::new();
    for text in ["hello, you", "", "ü \\ \""] {
        line.send(SendText::new(text)).unwrap();
    }
    for image in ["beep", "no-such-image"] {
        line.send(SendImage::new(image)).unwrap();
    }
    line.finish();
}
