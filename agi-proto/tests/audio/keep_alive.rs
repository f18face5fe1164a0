//! A connection on which nobody speaks.

use agi_proto::{AudioOptions, SampleRate};

use super::{Seen, World, ms, ramp, times};

#[test]
fn silence_is_sent_once_a_second_while_neither_side_sends() {
    let mut world = World::open(AudioOptions::default());
    let sent = world.run_on_time(ms(10_500));
    assert_eq!(times(&sent), (1..=10).map(|n| n * 1_000).collect::<Vec<_>>());
    assert!(sent.iter().all(|(_, samples)| samples == &[0; 160]));
    // it is no sound of ours
    assert_eq!((world.stream.played(ms(10_500)), world.seen), (0, vec![]));
}

#[test]
fn silence_counts_from_what_either_side_sent_last() {
    let mut world = World::open(AudioOptions::default());
    world.now = ms(400);
    world.hear(SampleRate::Hz16000, &[1; 320]);
    let sent = world.run_on_time(ms(1_600));
    // in the rate that came in
    assert_eq!(sent, [(1_400, vec![0; 320])]);
    world.say(&ramp(320));
    assert_eq!(times(&world.run_on_time(ms(3_000))), [1_600, 2_600]);
    // every part of a message is a sign of life
    let mut world = World::open(AudioOptions::default());
    for at in (0..5_000).step_by(500) {
        assert_eq!(world.run_on_time(ms(at)), []);
        world.stream.handle_input(ms(at), if at == 0 { &[0x10, 1, 0x40] } else { &[0] });
    }
}

#[test]
fn silence_before_a_sentence_does_not_delay_it_by_more_than_itself() {
    let mut world = World::open(AudioOptions::default());
    world.run_on_time(ms(1_000));
    world.say(&ramp(480));
    // two frames beside the silence, which is heard first
    assert_eq!(times(&world.run_on_time(ms(1_019))), [1_000, 1_000]);
    assert_eq!(world.stream.played(ms(1_019)), 0);
    assert_eq!(times(&world.run_on_time(ms(1_030))), [1_020]);
    assert_eq!(world.stream.played(ms(1_030)), 80);
    assert_eq!(world.run_on_time(ms(1_900)), []);
    assert_eq!(world.seen, [Seen::Drained]);
}
