//! The one table of conveniences: a method for each command, on the channel of every adapter.
//!
//! A row is `Command: method(argument: Type, ...) -> [reply] = { command } example "...";`, its docs
//! above it. The command may use `?`: a refusal is an [`EncodeError`](crate::EncodeError). The rows stand in
//! the order of Asterisk's names for the commands.

/// Calls the macro `$with` with the table of commands behind `$context`.
#[doc(hidden)]
#[macro_export]
macro_rules! command_table {
    ($($with:ident)::+ ! { $($context:tt)* }) => {
        $($with)::+! {
            $($context)*

            /// `ANSWER`: answers the channel if it is not up yet; Asterisk waits for media, at most half a
            /// second. -1, a failure or a hangup, is an error. See [`Answer`](agi_proto::commands::Answer).
            Answer: answer() -> [()] = { $crate::commands::Answer::new() }
                example "channel.answer()";

            /// `ASYNCAGI BREAK`: ends Async AGI; elsewhere it does nothing. It never fails and runs on a dead
            /// channel too. See [`AsyncAgiBreak`](agi_proto::commands::AsyncAgiBreak).
            AsyncAgiBreak: async_agi_break() -> [()] = { $crate::commands::AsyncAgiBreak::new() }
                example "channel.async_agi_break()";

            /// `CHANNEL STATUS`: the state of this channel. The command takes another channel by its name,
            /// which gives `None` where there is none; there is no failure. See
            /// [`ChannelStatus`](agi_proto::commands::ChannelStatus).
            ChannelStatus: channel_status() -> [Option<$crate::commands::channel::ChannelState>] =
                { $crate::commands::ChannelStatus::new() }
                example "channel.channel_status()";

            /// `CONTROL STREAM FILE`: plays a sound file in which the caller moves by `#` and `*`, until its
            /// end or one of the escape digits. Gives where it was stopped as a time. The command has
            /// builders for the skip, the other keys and the offset. -1, a missing file or a hangup, is an
            /// error. See [`ControlStreamFile`](agi_proto::commands::ControlStreamFile).
            ControlStreamFile: control_stream_file(file: &str, escape_digits: &str)
                -> [$crate::commands::playback::ControlledPlayback] =
                { $crate::commands::ControlStreamFile::new(file, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.control_stream_file(\"demo-congrats\", \"0\")";

            /// `DATABASE DEL`: deletes a key of Asterisk's database, if it is there. 0, a failure of the
            /// database, is an error. It runs on a dead channel too. See
            /// [`DatabaseDel`](agi_proto::commands::DatabaseDel).
            DatabaseDel: database_del(family: &str, key: &str) -> [()] =
                { $crate::commands::DatabaseDel::new(family, key) }
                example "channel.database_del(\"cidname\", \"100\")";

            /// `DATABASE DELTREE`: deletes a family of Asterisk's database; the command takes a key below it
            /// too. Gives whether anything was deleted (Asterisk's own answer is the wrong way round). It
            /// runs on a dead channel too. See [`DatabaseDelTree`](agi_proto::commands::DatabaseDelTree).
            #[doc(alias = "deltree")]
            DatabaseDelTree: database_del_tree(family: &str) -> [bool] =
                { $crate::commands::DatabaseDelTree::new(family) }
                example "channel.database_del_tree(\"cidname\")";

            /// `DATABASE GET`: a value of Asterisk's database; `None` where the key is missing. -1 (out of
            /// memory) is an error. It runs on a dead channel too. See
            /// [`DatabaseGet`](agi_proto::commands::DatabaseGet).
            DatabaseGet: database_get(family: &str, key: &str) -> [Option<$crate::BString>] =
                { $crate::commands::DatabaseGet::new(family, key) }
                example "channel.database_get(\"cidname\", \"100\")";

            /// `DATABASE PUT`: sets a value of Asterisk's database. 0, a failure of the database, is an
            /// error. It runs on a dead channel too. See [`DatabasePut`](agi_proto::commands::DatabasePut).
            DatabasePut: database_put(family: &str, key: &str, value: impl AsRef<[u8]>) -> [()] =
                { $crate::commands::DatabasePut::new(family, key, value.as_ref()) }
                example "channel.database_put(\"cidname\", \"100\", \"Alice\")";

            /// `EXEC`: runs a dialplan application, its arguments in one text with commas between them; the
            /// command takes them as a list too. Gives what the application returned (-1 is no hangup), or
            /// that there is no such application. It runs on a dead channel too. See
            /// [`Exec`](agi_proto::commands::Exec).
            Exec: exec(application: &str, arguments: impl AsRef<[u8]>)
                -> [$crate::commands::exec::ExecOutcome] =
                { $crate::commands::Exec::new(application).arguments(arguments.as_ref()) }
                example "channel.exec(\"Dial\", \"PJSIP/100,30\")";

            /// `GET DATA`: plays a prompt and collects at most `max_digits` (1 to 1,023) digits until `#`, or
            /// until none has come for `timeout`, which begins anew with each. Gives the digits as text, maybe
            /// none, and whether time ran out. An empty file is no prompt. -1, a missing file or a hangup, is an
            /// error. A new command stops it. See [`GetData`](agi_proto::commands::GetData).
            GetData: get_data(file: &str, timeout: core::time::Duration, max_digits: u16)
                -> [$crate::reply::Digits] =
                { $crate::commands::GetData::new(file).timeout(timeout).max_digits(max_digits) }
                example "channel.get_data(\"vm-extension\", std::time::Duration::from_secs(5), 4)";

            /// `GET FULL VARIABLE`: what a dialplan expression comes to; empty where a variable is not set.
            /// The command evaluates on another channel too, and gives `None` where there is none. It has no
            /// failure and runs on a dead channel too. See
            /// [`GetFullVariable`](agi_proto::commands::GetFullVariable).
            GetFullVariable: get_full_variable(expression: &str) -> [Option<$crate::BString>] =
                { $crate::commands::GetFullVariable::new(expression) }
                example "channel.get_full_variable(\"${CALLERID(num)}\")";

            /// `GET OPTION`: plays a file, then waits at most `timeout` for one of the escape digits, `None`
            /// for ever.
            /// Gives the digit, or that all is complete, and how far the file came in samples. -1, a missing
            /// file or a hangup, is an error. A new command stops it. See
            /// [`GetOption`](agi_proto::commands::GetOption).
            GetOption: get_option(
                file: &str,
                escape_digits: &str,
                timeout: impl Into<Option<core::time::Duration>>
            )
                -> [$crate::reply::Playback] =
                { $crate::commands::GetOption::new(file, $crate::EscapeDigits::new(escape_digits)?, timeout) }
                example "channel.get_option(\"vm-options\", \"12\", std::time::Duration::from_secs(5))";

            /// `GET VARIABLE`: the value of a channel variable or function, cut at 1,023 bytes; `None` where
            /// it is not set. It is bytes: `value == "yes"` compares them, and `value.to_string()` is them as text.
            /// It has no failure and runs on a dead channel too. See
            /// [`GetVariable`](agi_proto::commands::GetVariable).
            GetVariable: get_variable(name: &str) -> [Option<$crate::BString>] =
                { $crate::commands::GetVariable::new(name) }
                example "channel.get_variable(\"CHANNEL\")";

            /// `GOSUB`: runs a subroutine of the dialplan and waits until it returns; the command takes
            /// arguments too. Gives whether it returned, ended otherwise, or does not exist. What it returned
            /// is in the variable `GOSUB_RETVAL`. See [`Gosub`](agi_proto::commands::Gosub).
            Gosub: gosub(context: &str, extension: &str, priority: &str)
                -> [$crate::commands::dialplan::GosubOutcome] =
                { $crate::commands::Gosub::new(context, extension, priority) }
                example "channel.gosub(\"subroutines\", \"s\", \"1\")";

            /// `HANGUP`: hangs up this channel. The command takes another channel by its name, and gives
            /// whether there was such a channel. The session goes on. See
            /// [`Hangup`](agi_proto::commands::Hangup).
            Hangup: hangup() -> [bool] = { $crate::commands::Hangup::new() }
                example "channel.hangup()";

            /// `NOOP`: does nothing. It never fails and runs on a dead channel too. See
            /// [`Noop`](agi_proto::commands::Noop).
            Noop: noop() -> [()] = { $crate::commands::Noop::new() }
                example "channel.noop()";

            /// `RECEIVE CHAR`: waits at most `timeout` for one character of text, `None` for ever. Gives its
            /// byte, or
            /// `None` where none came. A hangup is an error. See
            /// [`ReceiveChar`](agi_proto::commands::ReceiveChar).
            ReceiveChar: receive_char(timeout: impl Into<Option<core::time::Duration>>) -> [Option<u8>] =
                { $crate::commands::ReceiveChar::new(timeout) }
                example "channel.receive_char(std::time::Duration::from_secs(5))";

            /// `RECEIVE TEXT`: waits at most `timeout` for a text, `None` for ever. Gives it, or `None` where none
            /// came. A hangup is an error. See [`ReceiveText`](agi_proto::commands::ReceiveText).
            ReceiveText: receive_text(timeout: impl Into<Option<core::time::Duration>>)
                -> [Option<$crate::BString>] =
                { $crate::commands::ReceiveText::new(timeout) }
                example "channel.receive_text(std::time::Duration::from_secs(5))";

            /// `RECORD FILE`: records the caller until an escape digit, at most for `timeout`, `None` for ever. Gives
            /// which of six ends it had, a hangup among them, and its length in samples. The command has
            /// builders for a beep, an end by silence, and appending. A bare -1 (the channel cannot be
            /// listened to) is an error. See [`RecordFile`](agi_proto::commands::RecordFile).
            RecordFile: record_file(
                file: &str,
                format: &str,
                escape_digits: &str,
                timeout: impl Into<Option<core::time::Duration>>
            )
                -> [$crate::commands::record::Recording] =
                {
                    let escape_digits = $crate::EscapeDigits::new(escape_digits)?;
                    $crate::commands::RecordFile::new(file, format, escape_digits, timeout)
                }
                example "channel.record_file(\"message\", \"wav\", \"#\", std::time::Duration::from_secs(60))";

            /// `SAY ALPHA`: spells a text; the command says whether letters are small or capital, too. Gives
            /// the escape digit that ended it, if one did. -1, a missing sound or a hangup, is an error. See
            /// [`SayAlpha`](agi_proto::commands::SayAlpha).
            SayAlpha: say_alpha(text: &str, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayAlpha::new(text, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_alpha(\"AB-12\", \"#\")";

            /// `SAY DATE`: says the date of a time in seconds since 1970 (to January 2038). Gives the escape
            /// digit that ended it, if one did. -1, a missing sound or a hangup, is an error. See
            /// [`SayDate`](agi_proto::commands::SayDate).
            SayDate: say_date(time: i64, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayDate::new(time, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_date(1_700_000_000, \"#\")";

            /// `SAY DATETIME`: says date and time of a time in seconds since 1970; the command takes a format
            /// and a time zone too. Gives the escape digit that ended it, if one did. -1, a missing sound or
            /// a hangup, is an error. See [`SayDateTime`](agi_proto::commands::SayDateTime).
            #[doc(alias = "datetime")]
            SayDateTime: say_date_time(time: i64, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayDateTime::new(time, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_date_time(1_700_000_000, \"#\")";

            /// `SAY DIGITS`: says digit after digit. Gives the escape digit that ended it, if one did. -1, a
            /// missing sound or a hangup, is an error. See [`SayDigits`](agi_proto::commands::SayDigits).
            SayDigits: say_digits(digits: &str, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayDigits::new(digits, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_digits(\"0042\", \"#\")";

            /// `SAY NUMBER`: says a number; the command takes a gender too. Gives the escape digit that ended
            /// it, if one did. -1, a missing sound or a hangup, is an error. See
            /// [`SayNumber`](agi_proto::commands::SayNumber).
            SayNumber: say_number(number: i32, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayNumber::new(number, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_number(42, \"#\")";

            /// `SAY PHONETIC`: spells a text as Alpha, Bravo, Charlie. Gives the escape digit that ended it,
            /// if one did. -1, a missing sound or a hangup, is an error. See
            /// [`SayPhonetic`](agi_proto::commands::SayPhonetic).
            SayPhonetic: say_phonetic(text: &str, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayPhonetic::new(text, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_phonetic(\"abc\", \"#\")";

            /// `SAY TIME`: says the time of day of a time in seconds since 1970 (to January 2038). Gives the
            /// escape digit that ended it, if one did. -1, a missing sound or a hangup, is an error. See
            /// [`SayTime`](agi_proto::commands::SayTime).
            SayTime: say_time(time: i64, escape_digits: &str) -> [$crate::reply::PlaybackEnd] =
                { $crate::commands::SayTime::new(time, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.say_time(1_700_000_000, \"#\")";

            /// `SEND IMAGE`: sends an image file; whether the channel takes images is not told. -1, a hangup,
            /// is an error. See [`SendImage`](agi_proto::commands::SendImage).
            SendImage: send_image(image: &str) -> [()] = { $crate::commands::SendImage::new(image) }
                example "channel.send_image(\"logo\")";

            /// `SEND TEXT`: sends a text. -1, a channel that takes none or a hangup, is an error. See
            /// [`SendText`](agi_proto::commands::SendText).
            SendText: send_text(text: &str) -> [()] = { $crate::commands::SendText::new(text) }
                example "channel.send_text(\"hello\")";

            /// `SET AUTOHANGUP`: hangs this channel up after a time (to the millisecond); `None` takes that
            /// back. Asterisk reports no failure of it. See [`SetAutohangup`](agi_proto::commands::SetAutohangup).
            #[doc(alias = "autohangup")]
            SetAutohangup: set_autohangup(after: impl Into<Option<core::time::Duration>>) -> [()] =
                { $crate::commands::SetAutohangup::new(after) }
                example "channel.set_autohangup(std::time::Duration::from_secs(300))";

            /// `SET CALLERID`: sets name and number of the caller, 255 bytes at most with their quotes.
            /// Asterisk reports no failure of it. See [`SetCallerId`](agi_proto::commands::SetCallerId).
            #[doc(alias = "callerid")]
            SetCallerId: set_caller_id(name: &str, number: &str) -> [()] =
                { $crate::commands::SetCallerId::new(number).name(name) }
                example "channel.set_caller_id(\"Alice\", \"100\")";

            /// `SET CONTEXT`: the context in which the dialplan goes on when the script ends; it is not
            /// checked. Asterisk reports no failure of it. See [`SetContext`](agi_proto::commands::SetContext).
            SetContext: set_context(context: &str) -> [()] = { $crate::commands::SetContext::new(context) }
                example "channel.set_context(\"default\")";

            /// `SET EXTENSION`: the extension at which the dialplan goes on when the script ends; it is not
            /// checked. Asterisk reports no failure of it. See [`SetExtension`](agi_proto::commands::SetExtension).
            SetExtension: set_extension(extension: &str) -> [()] =
                { $crate::commands::SetExtension::new(extension) }
                example "channel.set_extension(\"100\")";

            /// `SET MUSIC`: starts or stops music on hold; the command takes a class too. Asterisk
            /// reports no failure of it. See [`SetMusic`](agi_proto::commands::SetMusic).
            SetMusic: set_music(music: $crate::commands::channel::Music) -> [()] =
                { $crate::commands::SetMusic::new(music) }
                example "channel.set_music(agi_proto::commands::channel::Music::On)";

            /// `SET PRIORITY`: the priority, a number or a label, at which the dialplan goes on when the
            /// script ends. A label that does not exist is answered by 520, an error. See
            /// [`SetPriority`](agi_proto::commands::SetPriority).
            SetPriority: set_priority(priority: &str) -> [()] =
                { $crate::commands::SetPriority::new(priority) }
                example "channel.set_priority(\"1\")";

            /// `SET VARIABLE`: sets a channel variable or function. Asterisk does not tell a function's
            /// failure. It runs on a dead channel too. See [`SetVariable`](agi_proto::commands::SetVariable).
            SetVariable: set_variable(name: &str, value: impl AsRef<[u8]>) -> [()] =
                { $crate::commands::SetVariable::new(name, value.as_ref()) }
                example "channel.set_variable(\"RESULT\", \"done\")";

            /// `SPEECH ACTIVATE GRAMMAR`: listens for a loaded grammar. Gives whether it does. See
            /// [`SpeechActivateGrammar`](agi_proto::commands::SpeechActivateGrammar).
            SpeechActivateGrammar: speech_activate_grammar(grammar: &str) -> [bool] =
                { $crate::commands::SpeechActivateGrammar::new(grammar) }
                example "channel.speech_activate_grammar(\"answers\")";

            /// `SPEECH CREATE`: makes the session's speech object with the default engine; the command takes
            /// another by its name. Gives whether it was made. See
            /// [`SpeechCreate`](agi_proto::commands::SpeechCreate).
            SpeechCreate: speech_create() -> [bool] = { $crate::commands::SpeechCreate::new() }
                example "channel.speech_create()";

            /// `SPEECH DEACTIVATE GRAMMAR`: listens no longer for a grammar. Gives whether it was done. See
            /// [`SpeechDeactivateGrammar`](agi_proto::commands::SpeechDeactivateGrammar).
            SpeechDeactivateGrammar: speech_deactivate_grammar(grammar: &str) -> [bool] =
                { $crate::commands::SpeechDeactivateGrammar::new(grammar) }
                example "channel.speech_deactivate_grammar(\"answers\")";

            /// `SPEECH DESTROY`: ends the speech object. Gives whether there was one. It runs on a dead
            /// channel too. See [`SpeechDestroy`](agi_proto::commands::SpeechDestroy).
            SpeechDestroy: speech_destroy() -> [bool] = { $crate::commands::SpeechDestroy::new() }
                example "channel.speech_destroy()";

            /// `SPEECH LOAD GRAMMAR`: loads a grammar from a file under a name. Gives whether it was loaded.
            /// See [`SpeechLoadGrammar`](agi_proto::commands::SpeechLoadGrammar).
            SpeechLoadGrammar: speech_load_grammar(grammar: &str, path: &str) -> [bool] =
                { $crate::commands::SpeechLoadGrammar::new(grammar, path) }
                example "channel.speech_load_grammar(\"answers\", \"/etc/answers.gram\")";

            /// `SPEECH RECOGNIZE`: plays a prompt and listens, at most `timeout` after it, in whole seconds, `None` for
            /// ever.
            /// Gives speech, a digit, a hangup, time-out or nothing. The command takes an offset into the prompt
            /// too. See [`SpeechRecognize`](agi_proto::commands::SpeechRecognize).
            SpeechRecognize: speech_recognize(prompt: &str, timeout: impl Into<Option<core::time::Duration>>)
                -> [$crate::commands::speech::Recognition] =
                { $crate::commands::SpeechRecognize::new(prompt, timeout) }
                example "channel.speech_recognize(\"vm-options\", std::time::Duration::from_secs(5))";

            /// `SPEECH SET`: sets a setting of the engine. Gives whether there is a speech object. See
            /// [`SpeechSet`](agi_proto::commands::SpeechSet).
            SpeechSet: speech_set(name: &str, value: &str) -> [bool] =
                { $crate::commands::SpeechSet::new(name, value) }
                example "channel.speech_set(\"sensitivity\", \"0.5\")";

            /// `SPEECH UNLOAD GRAMMAR`: forgets a grammar. Gives whether it was done. It runs on a dead
            /// channel too. See [`SpeechUnloadGrammar`](agi_proto::commands::SpeechUnloadGrammar).
            SpeechUnloadGrammar: speech_unload_grammar(grammar: &str) -> [bool] =
                { $crate::commands::SpeechUnloadGrammar::new(grammar) }
                example "channel.speech_unload_grammar(\"answers\")";

            /// `STREAM FILE`: plays a sound file until its end or one of the escape digits; the command takes
            /// an offset too. Gives the digit, if one ended it, and how far it came in samples. -1, a missing
            /// file or a hangup, is an error. A new command stops it. See
            /// [`StreamFile`](agi_proto::commands::StreamFile).
            StreamFile: stream_file(file: &str, escape_digits: &str) -> [$crate::reply::Playback] =
                { $crate::commands::StreamFile::new(file, $crate::EscapeDigits::new(escape_digits)?) }
                example "channel.stream_file(\"demo-congrats\", \"#\")";

            /// `TDD MODE`: turns a text telephone on or off. Gives whether the channel can do it; most
            /// cannot. See [`TddMode`](agi_proto::commands::TddMode).
            TddMode: tdd_mode(mode: $crate::commands::channel::Tdd) -> [bool] =
                { $crate::commands::TddMode::new(mode) }
                example "channel.tdd_mode(agi_proto::commands::channel::Tdd::Off)";

            /// `VERBOSE`: writes a line to Asterisk's console and log; the command takes a level too. It
            /// never fails and runs on a dead channel too. See [`Verbose`](agi_proto::commands::Verbose).
            Verbose: verbose(message: &str) -> [()] = { $crate::commands::Verbose::new(message) }
                example "channel.verbose(\"the caller chose 1\")";

            /// `WAIT FOR DIGIT`: waits at most `timeout` for one digit, `None` for ever. Gives it, or that time ran
            /// out. -1, a hangup, is an error. A new command stops it. See
            /// [`WaitForDigit`](agi_proto::commands::WaitForDigit).
            WaitForDigit: wait_for_digit(timeout: impl Into<Option<core::time::Duration>>)
                -> [$crate::commands::input::DigitWait] =
                { $crate::commands::WaitForDigit::new(timeout) }
                example "channel.wait_for_digit(std::time::Duration::from_secs(5))";
        }
    };
}
