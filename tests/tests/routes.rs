//! Routes, state, layers and their replacement while the server runs, on every adapter by the same text.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod servers;

use std::sync::Arc;

use agi_service::NotFound;
use agi_tests::pbx::Pbx;

use self::servers::{LOOPBACK, Running};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Calls before and after the routes are replaced.
fn chooses_by_the_path(server: Running, replace: impl FnOnce()) {
    let mut pbx = Pbx::call_for(server.address, "menu/J%C3%BCrgen?lang=de");
    pbx.expect("GET VARIABLE \"GUARD\"").respond("200 result=1 (x)");
    pbx.expect("VERBOSE \"state Jürgen de\"").respond("200 result=1");
    pbx.end_with("SUCCESS");

    let mut pbx = Pbx::call_for(server.address, "menu/a");
    pbx.expect("GET VARIABLE \"GUARD\"").respond("200 result=0");
    pbx.end_with("NOT_FOUND");

    let mut pbx = Pbx::call_for(server.address, "menu/a/b");
    pbx.expect("VERBOSE \"fallback\"").respond("200 result=1");
    pbx.end_with("SUCCESS");

    // a call that runs goes on with what it began with
    let mut running = Pbx::call_for(server.address, "menu/a/b");
    running.expect("VERBOSE \"fallback\"");
    replace();
    let mut pbx = Pbx::call_for(server.address, "menu/a/b");
    pbx.expect("GET VARIABLE \"GUARD\"").respond("200 result=0");
    pbx.end_with("NOT_FOUND");
    running.respond("200 result=1");
    running.end_with("SUCCESS");
    server.stop();
}

/// The same text for all: `async` and `.await` are parameters, and whether what a handler takes is lent.
macro_rules! adapter {
    ($name:ident: $adapter:ident, [$($async:ident)?] [$($await:tt)*] $channel:ty, [$($lent:tt)*]) => {
        #[test]
        fn $name() {
            use $adapter::{BoxHandler, Channel, Error, Replaceable, Request, Router, layer, with_state};

            $($async)? fn menu(
                #[allow(unused_mut)] mut channel: $channel,
                request: $($lent)* Request,
                prefix: $($lent)* Arc<str>,
            ) -> Result<(), Error> {
                let (name, query) = (request.param("name").unwrap(), request.query("lang").unwrap());
                channel.verbose(&format!("{prefix} {name} {query}")) $($await)*
            }

            $($async)? fn guard(
                #[allow(unused_mut)] mut channel: $channel,
                request: $($lent)* Request,
                next: $($lent)* BoxHandler,
            ) -> Result<(), BoxError> {
                match channel.get_variable("GUARD") $($await)* ? {
                    Some(_) => next.run(channel, request) $($await)*,
                    None => Err(NotFound::new(request.path()).into()),
                }
            }

            $($async)? fn fallback(#[allow(unused_mut)] mut channel: $channel) -> Result<(), Error> {
                channel.verbose("fallback") $($await)*
            }

            let menu = with_state(Arc::from("state"), menu);
            let router: Router =
                Router::new().route("/menu/{name}", layer(guard, menu)).unwrap().fallback(fallback);
            let routes = Replaceable::new(router.clone());
            let server = servers::$name(LOOPBACK, |server| server, routes.clone());
            chooses_by_the_path(server, || routes.replace(router.layer(guard)));
        }
    };
}

adapter!(tokio: agi_tokio, [async] [.await] Channel, []);
adapter!(smol: agi_smol, [async] [.await] Channel, []);
adapter!(async_std: agi_async_std, [async] [.await] Channel, []);
adapter!(blocking: agi_blocking, [] [] &mut Channel, [&]);
