//! Over agi-tokio, in memory, on a clock that stands still while there is something to do.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use agi_proto::commands::{
    Exec, GetData, GetFullVariable, GetVariable, Gosub, Noop, SayNumber, StreamFile, WaitForDigit,
};
use agi_proto::{Command, EscapeDigits};
use agi_tokio::{Channel, ChannelBuilder};
use fastrand::Rng;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Join, ReadHalf, SimplexStream, WriteHalf,
};
use tokio::io::{join, simplex};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::pbx::{Pbx, odd_value};
use super::{CONVERSATIONS, DROPS, Tally};

type Pipe = Join<ReadHalf<SimplexStream>, WriteHalf<SimplexStream>>;

/// The longest that a command of the PBX runs: longer than the barrier's patience.
const LONGEST: Duration = Duration::from_millis(150);

async fn play_pbx(mut stream: impl AsyncRead + AsyncWrite + Unpin, seed: u64) -> io::Result<u64> {
    let mut pbx = Pbx::new(seed, LONGEST);
    let began = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        let more = pbx.run(began.elapsed());
        while let Some(piece) = pbx.send() {
            stream.write_all(&piece).await?;
            match pbx.random.u8(..16) {
                0 => sleep(Duration::from_millis(pbx.random.u64(..120))).await,
                1..4 => sleep(Duration::from_millis(1)).await,
                _ => tokio::task::yield_now().await,
            }
        }
        if pbx.is_over() {
            stream.shutdown().await?;
            return Ok(pbx.unseen);
        }
        let read = stream.read(&mut buffer);
        let read = match more {
            None => Ok(read.await),
            Some(more) => timeout_at(began + more, read).await,
        };
        if let Ok(read) = read {
            pbx.receive(&buffer[..read?]);
            if pbx.random.u16(..2000) == 0 {
                pbx.hang_up();
            }
        }
    }
}

/// Polls a call a few times, or waits for it a while, then drops it. Whether it was dropped.
async fn drop_call<C: Command>(channel: &mut Channel<Pipe>, random: &mut Rng, command: C) -> bool {
    let wait = Duration::from_millis(random.u64(..LONGEST.as_millis() as u64));
    let mut polls = random.u8(1..5);
    let mut call = pin!(channel.call(command));
    if random.bool() {
        return timeout(wait, call).await.is_err();
    }
    poll_fn(|cx| {
        polls -= 1;
        match call.as_mut().poll(cx) {
            Poll::Ready(_) => Poll::Ready(false),
            Poll::Pending if polls == 0 => Poll::Ready(true),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn drop_one(channel: &mut Channel<Pipe>, random: &mut Rng) -> bool {
    let none = EscapeDigits::NONE;
    match random.u8(..11) {
        0..2 => drop_call(channel, random, StreamFile::new("long", none)).await,
        2 => drop_call(channel, random, StreamFile::new("missing", none)).await,
        3 => drop_call(channel, random, GetData::new("long")).await,
        4 => drop_call(channel, random, WaitForDigit::new(None)).await,
        5 => drop_call(channel, random, SayNumber::new(1, none)).await,
        6 => drop_call(channel, random, Exec::new("Wait")).await,
        7 => drop_call(channel, random, Exec::new("One")).await,
        8 => drop_call(channel, random, Gosub::new("subs", "s", "1")).await,
        9 => drop_call(channel, random, GetVariable::new("ODD")).await,
        _ => drop_call(channel, random, Noop::new()).await,
    }
}

/// Asks for something that nothing else answers so.
async fn ask(channel: &mut Channel<Pipe>, random: &mut Rng, number: u64) {
    let name = match random.u8(..8) {
        0 => format!("ODD{number}"),
        _ => format!("V{number}"),
    };
    if random.bool() {
        let value = channel.call(GetFullVariable::new(&name)).await.unwrap().unwrap();
        assert_eq!(value, name);
    } else {
        let value = channel.call(GetVariable::new(&name)).await.unwrap().unwrap();
        let expected = if name.starts_with('O') { odd_value(&name) } else { format!("value of {name}") };
        assert_eq!(value, expected);
    }
}

async fn converse(stream: Pipe, seed: u64) -> (u64, u64) {
    let mut random = Rng::with_seed(!seed);
    let mut channel = ChannelBuilder::new().start(stream).await.unwrap().unwrap();
    let (mut dropped, mut answers) = (0, 0);
    while dropped < DROPS {
        dropped += u64::from(drop_one(&mut channel, &mut random).await);
        if random.u8(..8) == 0 {
            channel.resync().await.unwrap();
        }
        for _ in 0..random.u8(..4) {
            answers += 1;
            ask(&mut channel, &mut random, answers).await;
        }
    }
    ask(&mut channel, &mut random, 0).await;
    channel.close().await.unwrap();
    (dropped, answers)
}

async fn conversation(seed: u64) -> Tally {
    // commands reach the PBX in pieces, and sometimes wait for it
    let size = [8, 50, 4096][seed as usize % 3];
    let ((command_reader, command_writer), (reply_reader, reply_writer)) = (simplex(size), simplex(65_536));
    let pbx = tokio::spawn(play_pbx(join(command_reader, reply_writer), seed));
    let script = converse(join(reply_reader, command_writer), seed);
    let hang = Duration::from_secs(36_000);
    let (dropped, answers) = timeout(hang, script).await.expect("it hangs");
    Tally { dropped, answers, unseen: pbx.await.unwrap().unwrap() }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_drops_over_tokio() {
    let began = std::time::Instant::now();
    let mut tallies = Vec::new();
    for seed in 0..CONVERSATIONS {
        // one after another: a failure shows which
        let tally = tokio::spawn(conversation(seed)).await;
        tallies.push(tally.unwrap_or_else(|error| panic!("seed {seed}: {error}")));
    }
    tallies.into_iter().sum::<Tally>().check("tokio", began);
}
