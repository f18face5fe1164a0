//! When frames go out: to the millisecond.

use agi_proto::{AudioOptions, SampleRate, SendError};

use super::{Seen, World, ms, ramp, times};

const FRAME: usize = 160;

#[test]
fn three_frames_go_at_once_and_then_one_every_20_ms() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(10 * FRAME));
    let sent = world.run_on_time(ms(999));
    assert_eq!(times(&sent), [0, 0, 0, 20, 40, 60, 80, 100, 120, 140]);
    let samples: Vec<i16> = sent.into_iter().flat_map(|(_, samples)| samples).collect();
    assert_eq!(samples, ramp(10 * FRAME));
    assert_eq!(world.seen, [Seen::Drained]);
}

#[test]
fn how_far_ahead_is_a_choice_and_one_frame_at_least() {
    for (ahead, expected) in [
        (ms(0), [0, 20, 40, 60, 80]),
        (ms(20), [0, 20, 40, 60, 80]),
        (ms(50), [0, 0, 10, 30, 50]),
        (ms(100), [0, 0, 0, 0, 0]),
    ] {
        let mut options = AudioOptions::default();
        options.ahead = ahead;
        let mut world = World::open(options);
        world.say(&ramp(5 * FRAME));
        assert_eq!(times(&world.run_on_time(ms(999))), expected, "{ahead:?}");
    }
}

#[test]
fn a_timer_that_stalls_25_ms_now_and_then_moves_nothing() {
    let mut world = World::open(AudioOptions::default());
    // every fifth timer comes 25 ms late, the others up to 3 ms
    let late = |timer: u64| if timer % 5 == 4 { ms(25) } else { ms(timer * 7 % 4) };
    world.say(&ramp(500 * FRAME));
    let sent = world.run(ms(10_100), late);
    assert_eq!(sent.len(), 500);
    for (n, at) in times(&sent).into_iter().enumerate() {
        let due = (n as u64 * 20).saturating_sub(40);
        assert!((due..=due + 28).contains(&at), "frame {n} is due at {due} and went at {at}");
    }
    // a frame that is late is sent with the next one, and the caller hears neither late
    assert_eq!(times(&sent)[..10], [0, 0, 0, 20, 43, 62, 81, 125, 125, 143]);
    assert_eq!(world.seen, [Seen::Drained]);
    assert_eq!(world.stream.played(ms(10_100)), 500 * FRAME as u64);
}

#[test]
fn a_stall_longer_than_what_is_ahead_ends_in_no_burst() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(12 * FRAME));
    let stall = |timer| if timer == 1 { ms(500) } else { ms(0) };
    // four frames are heard until 80; 500 ms late, the caller hears on from 540
    assert_eq!(times(&world.run(ms(540), stall)), [0, 0, 0, 20, 540, 540, 540]);
    assert_eq!(world.stream.played(ms(540)), 4 * FRAME as u64);
    assert_eq!(world.stream.played(ms(550)), 4 * FRAME as u64 + 80);
    assert_eq!(times(&world.run_on_time(ms(999))), [560, 580, 600, 620, 640]);
}

#[test]
fn pieces_of_any_size_come_to_the_same() {
    for piece in [1, 7, 80, 159, 160, 161, 480, 1_600] {
        let mut world = World::open(AudioOptions::default());
        for samples in ramp(1_600).chunks(piece) {
            world.say(samples);
        }
        let sent = world.run_on_time(ms(999));
        assert_eq!(times(&sent), [0, 0, 0, 20, 40, 60, 80, 100, 120, 140], "pieces of {piece}");
    }
}

#[test]
fn the_end_of_a_sentence_waits_for_more_and_is_filled_with_silence() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(4 * FRAME + 1));
    let sent = world.run_on_time(ms(999));
    // all before is heard until 80, the rest goes one frame before
    assert_eq!(times(&sent), [0, 0, 0, 20, 60]);
    assert_eq!(sent[4].1.len(), FRAME);
    assert_eq!((sent[4].1[0], &sent[4].1[1..]), (641, &[0; FRAME - 1][..]));
    assert_eq!(world.stream.played(ms(999)), 4 * FRAME as u64 + 1);
    assert_eq!(world.seen, [Seen::Drained]);

    // alone it waits for 20 ms
    world.now = ms(999);
    world.say(&ramp(1));
    assert_eq!(times(&world.run_on_time(ms(1_500))), [1_019]);
}

#[test]
fn a_sentence_that_arrives_in_time_has_no_silence_in_it() {
    let mut world = World::open(AudioOptions::default());
    let mut sent = vec![];
    // 100 samples every 12.5 ms, as a synthesiser would
    for n in 0..80_u64 {
        let until = ms(n * 25) / 2;
        sent.extend(world.run_on_time(until));
        world.say(&ramp(8_000)[n as usize * 100..][..100]);
    }
    sent.extend(world.run_on_time(ms(1_100)));
    let samples: Vec<i16> = sent.iter().flat_map(|(_, samples)| samples).copied().collect();
    assert_eq!(samples, ramp(8_000));
    assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 25), "{:?}", times(&sent));
    assert_eq!(world.seen, [Seen::Drained]);
}

#[test]
fn a_frame_of_each_rate_is_20_ms_in_messages_of_one_segment() {
    let messages = [1, 1, 1, 1, 1, 2, 2, 3, 6];
    for (rate, count) in SampleRate::ALL.into_iter().zip(messages) {
        let mut world = World::open(AudioOptions::default());
        world.hear(rate, &[1; 100]);
        let frame = rate.hertz() as usize / 50;
        world.say(&vec![1; frame * 5]);
        let sent = world.run_on_time(ms(50));
        let expected: Vec<u64> = [0, 0, 0, 20, 40].into_iter().flat_map(|at| vec![at; count]).collect();
        assert_eq!(times(&sent), expected, "{rate}");
        assert!(sent.iter().all(|(_, samples)| samples.len() == frame / count), "{rate}");
        assert_eq!(world.stream.played(ms(50)), frame as u64 * 5 / 2, "{rate}");
    }
}

#[test]
fn samples_of_another_rate_are_refused_by_name() {
    let mut world = World::open(AudioOptions::default());
    assert_eq!(world.stream.rate(), SampleRate::Hz8000);
    let error = world.stream.send(ms(0), SampleRate::Hz16000, &[1]).unwrap_err();
    assert_eq!(error.to_string(), "audio: samples of 16000 Hz cannot be sent to a channel of 8000 Hz");
    world.say(&ramp(FRAME + 1));
    world.hear(SampleRate::Hz16000, &[1]);
    let wrong = SendError::WrongRate { sent: SampleRate::Hz8000, channel: SampleRate::Hz16000 };
    assert_eq!(world.stream.send(ms(0), SampleRate::Hz8000, &[1]), Err(wrong));
    // what was queued before goes out as what it is, the last of it at once, for no more can come
    world.say(&ramp(320));
    let sizes: Vec<usize> = world.write().iter().map(|(_, samples)| samples.len()).collect();
    assert_eq!(sizes, [160, 160, 320]);
}

#[test]
fn the_queue_takes_what_it_has_room_for() {
    let mut options = AudioOptions::default();
    options.queued = ms(100);
    let mut world = World::open(options);
    let rate = SampleRate::Hz8000;
    assert_eq!(world.stream.send(ms(0), rate, &ramp(900)), Ok(800));
    assert_eq!(world.stream.send(ms(0), rate, &ramp(1)), Ok(0));
    assert_eq!(world.write().len(), 3);
    assert_eq!((world.stream.queued(), world.stream.send(ms(0), rate, &ramp(900))), (320, Ok(480)));
}

#[test]
fn a_connection_that_takes_nothing_piles_nothing_up() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(100 * FRAME));
    // Asterisk takes half a message, and then nothing for a second
    assert_eq!(world.stream.poll_transmit(ms(0)).unwrap().len(), 323);
    world.stream.transmitted(100);
    for at in 0..1_000 {
        assert_eq!(world.stream.poll_transmit(ms(at)).unwrap().len(), 223);
        assert_eq!(world.stream.queued(), 99 * FRAME as u64);
    }
    assert_eq!(world.stream.poll_timeout(ms(1_000)), None, "there is nothing to do");
    // it is heard from when it is written, and so is what follows
    assert_eq!((world.stream.played(ms(1_000)), world.stream.in_flight(ms(1_000))), (0, 160));
    world.stream.transmitted(223);
    assert_eq!(world.stream.played(ms(1_009)), 80);
    world.now = ms(1_009);
    assert_eq!(times(&world.run_on_time(ms(1_060))), [1_009, 1_009, 1_019, 1_039, 1_059]);
}

#[test]
fn the_last_frame_is_not_over_before_it_is_written() {
    let mut world = World::open(AudioOptions::default());
    world.say(&ramp(FRAME));
    for at in [0, 20, 500, 5_000] {
        assert_eq!(world.stream.poll_transmit(ms(at)).unwrap().len(), 323);
        world.stream.handle_timeout(ms(at));
        assert_eq!(world.stream.poll_timeout(ms(at)), None, "at {at}");
        assert!(!world.stream.is_drained(ms(at)), "at {at}");
    }
    world.stream.transmitted(323);
    world.now = ms(5_000);
    assert_eq!(world.stream.poll_timeout(ms(5_000)), Some(ms(20)));
    assert_eq!((world.run_on_time(ms(5_500)), world.seen), (vec![], vec![Seen::Drained]));
}
