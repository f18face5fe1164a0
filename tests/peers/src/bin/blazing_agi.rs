//! The peer blazing_agi. It knows scripts by their paths, and no other script is called here.

use agi_peers::{NAME, VALUE, announce};
use blazing_agi::command::SetVariable;
use blazing_agi::{router::Router, serve};
use blazing_agi_macros::create_handler;
use tokio::net::TcpListener;

#[create_handler]
async fn script(connection: &mut Connection, request: &AGIRequest) -> Result<(), AGIError> {
    for _ in 0..agi_peers::commands() {
        connection.send_command(SetVariable::new(NAME.to_owned(), VALUE.to_owned())).await?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    Ok(serve::serve(listener, Router::new().route("/script", script)).await?)
}
