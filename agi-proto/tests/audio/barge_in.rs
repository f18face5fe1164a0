//! What a caller has heard when the sound is taken away.

use agi_proto::{AudioOptions, Cleared};

use super::{Seen, World, ms, ramp, times};

#[test]
fn played_and_queued_are_told_apart_at_each_millisecond() {
    for at in 0..=600 {
        let mut world = World::open(AudioOptions::default());
        world.say(&ramp(4_000)); // half a second
        world.run_on_time(ms(at));
        let Cleared { played, in_flight, dropped } = world.stream.clear(ms(at));
        assert_eq!(played, (at * 8).min(4_000), "at {at}");
        assert_eq!(played + in_flight + dropped, 4_000, "at {at}");
        assert!(in_flight <= 480, "at {at}");
        assert_eq!(dropped, 4_000_u64.saturating_sub(480 + at / 20 * 160), "at {at}");
        // what was sent is heard, nothing more is sent, and the end is reported once
        assert_eq!(world.stream.queued(), 0);
        assert_eq!(world.run_on_time(ms(900)), []);
        assert_eq!(world.stream.played(ms(900)), played + in_flight);
        assert_eq!(world.seen, [Seen::Drained], "at {at}");
        assert!(world.stream.is_drained(ms(900)));
    }
}

#[test]
fn the_next_sentence_follows_what_is_still_heard() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(4_000));
    world.run_on_time(ms(95));
    assert_eq!(world.stream.clear(ms(95)), Cleared { played: 760, in_flight: 360, dropped: 2_880 });
    world.say(&[7; 480]);
    let sent = world.run_on_time(ms(900));
    // all that was sent before is heard until 140
    assert_eq!(times(&sent), [100, 120, 140]);
    assert!(sent.iter().all(|(_, samples)| samples == &[7; 160]));
    assert_eq!(world.stream.played(ms(900)), 760 + 360 + 480);
    assert_eq!(world.seen, [Seen::Drained]);
}

#[test]
fn who_waits_for_the_end_of_what_was_never_sent_learns_it() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(100));
    assert_eq!(world.stream.clear(ms(1)), Cleared { played: 0, in_flight: 0, dropped: 100 });
    assert_eq!(world.run_on_time(ms(900)), []);
    assert_eq!(world.seen, [Seen::Drained]);
    // nothing is queued: nothing to report
    assert_eq!(world.stream.clear(ms(900)), Cleared { played: 0, in_flight: 0, dropped: 0 });
    assert_eq!(super::events(&mut world.stream), []);
}

#[test]
fn an_end_that_is_overtaken_by_more_is_none() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(160));
    world.write();
    world.now = ms(20);
    world.stream.handle_timeout(ms(20));
    world.say(&ramp(160));
    assert_eq!(times(&world.run_on_time(ms(900))), [20]);
    assert_eq!(world.seen, [Seen::Drained], "of the second");
}
