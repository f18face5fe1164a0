//! What the service does with each call.

use std::time::Duration;

use agi_tokio::{Channel, Error};

use crate::show::Show;
use crate::tap::Tap;

pub(crate) async fn run(channel: &mut Channel<Tap>, show: Show) {
    let environment = channel.environment();
    show.library(format_args!(
        "{} variables; channel {}, caller {:?}, arguments {:?}",
        environment.iter().len(),
        environment.channel().unwrap_or_default(),
        environment.caller_id_name(),
        environment.args().collect::<Vec<_>>(),
    ));
    match ivr(channel, show).await {
        Ok(()) => show.library("the handler is done; the dialplan goes on"),
        Err(error) if error.is_hangup() => {
            show.library(format_args!("the handler ends quietly: {error} (is_hangup)"));
            // what a dead channel still runs keeps working: a last word, in the log of Asterisk
            if let Err(error) = channel.verbose("the caller left early").await {
                show.library(error);
            }
        }
        Err(error) => show.library(format_args!("the handler failed: {error}")),
    }
}

async fn ivr(channel: &mut Channel<Tap>, show: Show) -> Result<(), Error> {
    channel.answer().await?;
    show.library("answered");
    let note = channel.get_variable("NOTE").await?;
    show.library(format_args!("NOTE is {note:?}"));
    let playback = channel.stream_file("demo-congrats", "#").await?;
    show.library(format_args!("{playback:?}"));
    let entered = channel.get_data("vm-extension", Duration::from_secs(3), 4).await?;
    show.library(format_args!("{entered:?}"));
    channel.set_variable("DIGITS", entered.digits).await?;
    Ok(())
}
