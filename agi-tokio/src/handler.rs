//! What a server runs for each call: agi-proto's handlers, for the channels of this crate.

use agi_proto::service::asynchronous;
use tokio::net::TcpStream;

use crate::Channel;

/// ```no_run
/// use agi_tokio::{Channel, Error, Request, Server};
///
/// # async fn example() -> std::io::Result<()> {
/// let server = Server::bind_local().await?;
/// let prompt = String::from("demo-congrats");
/// server
///     .serve(move |mut channel: Channel, request: Request| {
///         let prompt = prompt.clone();
///         async move {
///             channel.answer().await?;
///             channel.stream_file(&prompt, "#").await?;
///             channel.set_variable("PLAYED_FOR", request.path()).await?;
///             Ok::<(), Error>(())
///         }
///     })
///     .await
/// # }
/// ```
#[doc(inline)]
pub use asynchronous::Handler;

/// ```
/// use agi_tokio::{BoxHandler, Channel, Request, Router, layer};
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// /// Takes calls from inside only.
/// async fn inside(channel: Channel, request: Request, next: BoxHandler) -> Result<(), BoxError> {
///     if request.environment().context().is_none_or(|context| *context != "internal") {
///         return Err("this is for internal calls".into());
///     }
///     next.run(channel, request).await
/// }
/// # async fn menu(_: Channel) -> Result<(), BoxError> { Ok(()) }
///
/// let router: Router = Router::new().route("/menu", layer(inside, menu))?;
/// # Ok::<(), agi_tokio::agi_proto::service::RouteError>(())
/// ```
#[doc(inline)]
pub use asynchronous::layer;

/// ```
/// use std::sync::Arc;
/// use agi_tokio::{Channel, Error, Request, Router, with_state};
///
/// struct Prompts { welcome: String }
///
/// async fn welcome(mut channel: Channel, _: Request, prompts: Arc<Prompts>) -> Result<(), Error> {
///     channel.stream_file(&prompts.welcome, "#").await?;
///     Ok(())
/// }
///
/// let prompts = Arc::new(Prompts { welcome: "demo-congrats".into() });
/// let router: Router = Router::new().route("/welcome", with_state(prompts, welcome))?;
/// # Ok::<(), agi_tokio::agi_proto::service::RouteError>(())
/// ```
#[doc(inline)]
pub use asynchronous::with_state;

/// A handler of any type: [agi-proto's](asynchronous::BoxHandler).
pub type BoxHandler<S = TcpStream> = asynchronous::BoxHandler<Channel<S>>;

/// Chooses a handler by the path of the script's URL: [agi-proto's](asynchronous::Router), whose page says what
/// patterns there are.
///
/// ```no_run
/// use agi_tokio::{Channel, Error, Request, Router, Server};
///
/// async fn menu(mut channel: Channel, request: Request) -> Result<(), Error> {
///     let language = request.param("language").expect("it is in the route");
///     channel.set_variable("CHANNEL(language)", language).await?;
///     // agi://host/menu/de?from=main
///     let from = request.query("from").unwrap_or_default();
///     channel.verbose(&format!("from {from}")).await
/// }
///
/// # async fn hello(_: Channel) -> Result<(), Error> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let router: Router = Router::new().route("/hello", hello)?.route("/menu/{language}", menu)?;
/// Server::bind_local().await?.serve(router).await
/// # }
/// ```
pub type Router<S = TcpStream> = asynchronous::Router<Channel<S>>;

/// A handler that can be replaced while a server runs it: [agi-proto's](asynchronous::Replaceable). A clone is
/// the same one.
///
/// ```no_run
/// # use agi_tokio::{Channel, Error, Replaceable, Router, Server};
/// # async fn old(_: Channel) -> Result<(), Error> { Ok(()) }
/// # async fn new(_: Channel) -> Result<(), Error> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let routes = Replaceable::new(Router::new().route("/menu", old)?);
/// tokio::spawn(Server::bind_local().await?.serve(routes.clone()));
/// routes.replace(Router::new().route("/menu", new)?);
/// # Ok(())
/// # }
/// ```
pub type Replaceable<S = TcpStream> = asynchronous::Replaceable<Channel<S>>;
