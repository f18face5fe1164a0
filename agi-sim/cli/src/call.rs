//! `agi-sim call`: a call by hand.

mod line;
mod phone;
mod plain;
mod screen;
mod terminal;

use std::fs;
use std::io::{self, ErrorKind, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use agi_sim::Setup;
use clap::Args;

use self::line::Line;
use self::phone::Phone;
use crate::at;

#[derive(Args)]
pub(crate) struct Options {
    /// What to call, as AGI() takes it, for example agi://127.0.0.1:4573/menu?lang=en.
    url: String,
    /// The arguments behind it.
    arguments: Vec<String>,
    /// Connect here, whatever the URL says.
    #[arg(long, value_name = "HOST:PORT")]
    at: Option<String>,
    /// The caller's name.
    #[arg(long, default_value = "Ada")]
    name: String,
    /// The caller's number.
    #[arg(long, default_value = "15551234567")]
    number: String,
    /// A channel variable; may be given more than once.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    variables: Vec<String>,
    /// How many seconds a sound file lasts.
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    sound: f64,
    /// A sound file that is missing; may be given more than once.
    #[arg(long, value_name = "FILE")]
    missing: Vec<String>,
    /// The version that Asterisk says it has, and behaves like.
    #[arg(long, value_name = "VERSION", default_value = "22.10.1")]
    asterisk: String,
    /// The call is not answered yet: it rings.
    #[arg(long)]
    ringing: bool,
    /// Where the transcript goes, instead of the folder for temporary files.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Lines instead of a screen, as where there is no terminal.
    ///
    /// Keys are read from the standard input, and each is pressed when a command takes it; a comma waits for a
    /// second, and h hangs up.
    #[arg(long)]
    plain: bool,
}

/// Gives whether the service ended the call, or the caller did.
pub(crate) fn run(options: &Options) -> io::Result<bool> {
    let setup = setup(options)?;
    let no_url = || io::Error::new(ErrorKind::InvalidInput, "the URL does not begin with agi://");
    let address = setup.address().ok_or_else(no_url)?;
    let address = options.at.as_ref().unwrap_or(&address);
    let (line, inputs) = Line::dial(address)
        .map_err(|error| io::Error::new(error.kind(), format!("{address} cannot be called: {error}")))?;
    let mut phone = Phone::new(setup);
    let on_screen = !options.plain && io::stdin().is_terminal() && io::stdout().is_terminal();
    let done = match on_screen {
        true => terminal::run(&mut phone, line, inputs),
        false => plain::run(&mut phone, line, inputs),
    };
    let path = options
        .transcript
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("agi-sim-call-{}.txt", std::process::id())));
    fs::write(&path, phone.transcript().to_string()).map_err(at(path.display()))?;
    println!("the transcript is in {}", path.display());
    done.map(|()| !phone.is_broken())
}

fn setup(options: &Options) -> io::Result<Setup> {
    let mut setup = Setup::new(options.url.as_str());
    setup.arguments = options.arguments.iter().map(|argument| argument.as_str().into()).collect();
    setup.caller_name = Some(options.name.as_str().into());
    setup.caller_number = Some(options.number.as_str().into());
    setup.version = options.asterisk.as_str().into();
    setup.answered = !options.ringing;
    let invalid = |why: String| io::Error::new(ErrorKind::InvalidInput, why);
    let sound = Duration::try_from_secs_f64(options.sound);
    setup.unknown_sound = Some(sound.map_err(|error| invalid(format!("--sound: {error}")))?);
    setup.missing_sounds = options.missing.iter().map(|file| file.as_str().into()).collect();
    for variable in &options.variables {
        let (name, value) =
            variable.split_once('=').ok_or_else(|| invalid(format!("--set {variable}: it has no =")))?;
        setup.variables.insert(name.into(), value.into());
    }
    Ok(setup)
}
