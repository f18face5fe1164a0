//! The places of a server: for connections that have not shown a call yet, for calls, and for refusals.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_lock::{Semaphore, SemaphoreGuardArc};
use futures_channel::oneshot::{Receiver, Sender, channel};

use crate::driver::race::{Won, race};
use crate::{Options, WhenFull};

/// The most connections that have not shown a call. The oldest silent one makes room for a newcomer, so that peers which
/// connect and say nothing keep no call out.
pub const LOBBY: usize = 1024;
/// The most of them from one address.
const LOBBY_PER_ADDRESS: usize = 256;
/// The most calls that are being refused at once, which takes until Asterisk has closed. Further ones wait.
const REFUSALS: usize = 1024;

/// The places of a server.
pub(super) struct Places {
    lobby: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    when_full: WhenFull,
    silent: Mutex<Silent>,
}

/// The connections that have not sent a whole environment, the oldest first.
#[derive(Default)]
struct Silent {
    next: u64,
    connections: BTreeMap<u64, (IpAddr, Sender<Infallible>)>,
}

/// A place in the lobby.
pub(super) struct Seat {
    _room: SemaphoreGuardArc,
}

/// A connection that has not sent its environment; dropping it says that it has, or has ended.
pub(super) struct Newcomer {
    places: Arc<Places>,
    id: u64,
    /// Fails when the connection is to make room.
    pub(super) evicted: Receiver<Infallible>,
    _seat: Seat,
}

/// A place that a call holds until it is closed.
pub(super) struct Place {
    /// There was none for a call to be served.
    pub(super) is_refusal: bool,
    _room: SemaphoreGuardArc,
}

impl Places {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            lobby: Arc::new(Semaphore::new(LOBBY)),
            calls: Arc::new(Semaphore::new(options.max_calls)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            when_full: options.when_full,
            silent: Mutex::default(),
        }
    }

    /// Waits for a place in the lobby. If there is none, the oldest silent connection has to leave.
    pub(super) async fn seat(&self) -> Seat {
        match self.lobby.try_acquire_arc() {
            Some(room) => Seat { _room: room },
            None => {
                self.evict_oldest();
                Seat { _room: self.lobby.acquire_arc().await }
            }
        }
    }

    /// Ends the oldest connection that has not shown a call. Returns whether there was one.
    pub(super) fn evict_oldest(&self) -> bool {
        self.silent().connections.pop_first().is_some()
    }

    /// Registers a new connection.
    pub(super) fn enter(self: &Arc<Self>, seat: Seat, peer: IpAddr) -> Newcomer {
        let (keeper, evicted) = channel();
        let mut silent = self.silent();
        let of_peer = |(_, (address, _)): &(&u64, &(IpAddr, _))| *address == peer;
        if silent.connections.len() >= LOBBY_PER_ADDRESS
            && silent.connections.iter().filter(of_peer).count() >= LOBBY_PER_ADDRESS
        {
            let oldest = silent.connections.iter().find(of_peer).map(|(id, _)| *id);
            oldest.and_then(|id| silent.connections.remove(&id));
        }
        let id = silent.next;
        silent.next += 1;
        silent.connections.insert(id, (peer, keeper));
        drop(silent);
        Newcomer { places: self.clone(), id, evicted, _seat: seat }
    }

    /// Waits for the place that is free first: a call's, or if calls do not wait also one for being refused.
    pub(super) async fn place(&self) -> Place {
        if let Some(room) = self.calls.try_acquire_arc() {
            return Place { is_refusal: false, _room: room };
        }
        let call = pin!(self.calls.acquire_arc());
        match self.when_full {
            WhenFull::Wait => Place { is_refusal: false, _room: call.await },
            WhenFull::Refuse => match race(call, pin!(self.refusals.acquire_arc())).await {
                Won::First(room) => Place { is_refusal: false, _room: room },
                Won::Second(room) => Place { is_refusal: true, _room: room },
            },
        }
    }

    fn silent(&self) -> MutexGuard<'_, Silent> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.places.silent().connections.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::{block_on, poll_once};

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn is_evicted(newcomer: &mut Newcomer) -> bool {
        newcomer.evicted.try_recv().is_err()
    }

    #[test]
    fn oldest_silent_connection_makes_room_for_a_newcomer() {
        let places = Arc::new(Places::new(&Options::default()));
        let address = |n: usize| IpAddr::V4(std::net::Ipv4Addr::from(n as u32));
        block_on(async {
            let mut inside = Vec::new();
            for n in 0..LOBBY {
                inside.push(places.enter(places.seat().await, address(n)));
            }
            // a call that has shown itself keeps its place
            let seat = pin!(places.seat());
            places.silent().connections.remove(&inside[0].id);
            let mut seat = seat;
            assert!(poll_once(seat.as_mut()).await.is_none(), "the lobby is full");
            assert!(is_evicted(&mut inside[1]) && !is_evicted(&mut inside[2]));
            drop(inside.remove(1));
            drop(places.enter(seat.await, HERE));
        });
    }

    #[test]
    fn one_address_keeps_no_other_out() {
        let places = Arc::new(Places::new(&Options::default()));
        block_on(async {
            let mut other = places.enter(places.seat().await, THERE);
            let mut same = Vec::new();
            for _ in 0..=LOBBY_PER_ADDRESS {
                same.push(places.enter(places.seat().await, HERE));
            }
            assert!(is_evicted(&mut same[0]) && !is_evicted(&mut same[1]) && !is_evicted(&mut other));
        });
    }

    #[test]
    fn free_call_place_is_used_while_all_refusal_places_are_taken() {
        let places = Places::new(&Options::default().max_calls(1));
        let refusals: Vec<_> = std::iter::from_fn(|| places.refusals.try_acquire_arc()).collect();
        block_on(async {
            let first = poll_once(places.place()).await.expect("a call's place is free");
            assert!(!first.is_refusal);

            // whichever is free first
            let mut second = pin!(places.place());
            assert!(poll_once(second.as_mut()).await.is_none(), "none is free");
            drop(refusals);
            let second = poll_once(second).await.expect("a refusal's place is free");
            assert!(second.is_refusal);
            drop(first);
            assert!(!places.place().await.is_refusal);
        });
    }
}
