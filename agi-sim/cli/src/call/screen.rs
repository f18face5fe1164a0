//! What is on the screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Gauge, Paragraph};

use super::phone::{Leaves, Phone};

/// So wide a screen has the variables beside what happens.
const WIDE: u16 = 120;

/// What the one at the screen wants to see.
#[derive(Default)]
pub(super) struct View {
    /// The lines on the wire too.
    pub(super) dialogue: bool,
    pub(super) variables: bool,
    /// How many lines above the last one the view ends.
    above: usize,
    /// A text that is being typed.
    pub(super) typing: Option<String>,
    pub(super) leaves: Option<Leaves>,
}

impl View {
    pub(super) fn back(&mut self, lines: usize) {
        self.above = self.above.saturating_add(lines);
    }

    pub(super) fn forth(&mut self, lines: usize) {
        self.above = self.above.saturating_sub(lines);
    }
}

pub(super) fn draw(frame: &mut Frame<'_>, phone: &Phone, view: &mut View) {
    let keys = keys(phone, view, frame.area().width);
    let now = now(phone, frame.area().width.saturating_sub(2));
    let height = |lines: &[_]| u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let rows = [
        Constraint::Length(1),
        Constraint::Length(height(&now).saturating_add(3)),
        Constraint::Min(3),
        Constraint::Length(height(&keys)),
    ];
    let [head, above, below, foot] = Layout::vertical(rows).areas(frame.area());
    draw_head(frame, phone, head);
    draw_now(frame, phone, now, above);
    frame.render_widget(Paragraph::new(keys), foot);
    if view.variables {
        let halves = [Constraint::Percentage(60), Constraint::Percentage(40)];
        let layout = match frame.area().width >= WIDE {
            true => Layout::horizontal(halves),
            false => Layout::vertical(halves),
        };
        let [call, variables] = layout.areas(below);
        draw_call(frame, phone, view, call);
        draw_variables(frame, phone, variables);
    } else {
        draw_call(frame, phone, view, below);
    }
}

fn draw_head(frame: &mut Frame<'_>, phone: &Phone, area: Rect) {
    let state = match (phone.status(), phone.is_hung_up(), phone.channel().state) {
        (Some(status), ..) => format!("over, AGISTATUS {status}"),
        (None, true, _) => "hung up".into(),
        (None, false, 6) => "up".into(),
        (None, false, _) => "ringing".into(),
    };
    let seconds = phone.now.as_secs();
    let right = format!(" {state}  {:02}:{:02} ", seconds / 60, seconds % 60);
    let room = usize::from(area.width).saturating_sub(right.len());
    let left = format!(" {}", phone.url);
    let left = if left.len() > room { format!("{}…", &left[..room.saturating_sub(1)]) } else { left };
    frame.render_widget(Paragraph::new(format!("{left:<room$}{right}")).reversed(), area);
}

/// What the caller hears, or what the service waits for.
fn now(phone: &Phone, width: u16) -> Vec<Line<'static>> {
    let text = match (phone.hears(), phone.command()) {
        (Some((file, ..)), Some(command)) => format!("{command} plays {}", file.escape_ascii()),
        (_, Some(command)) => command.to_owned(),
        (_, None) if phone.is_over() => "nothing".into(),
        (_, None) => "the service thinks".into(),
    };
    wrapped(&text, 2, width).map(Line::from).collect()
}

fn draw_now(frame: &mut Frame<'_>, phone: &Phone, now: Vec<Line<'_>>, area: Rect) {
    let title = if phone.listens() { " Now: keys are heard " } else { " Now " };
    let block = Block::bordered().title(title);
    let [what, bar] = Layout::vertical([Constraint::Min(1), Constraint::Length(1)]).areas(block.inner(area));
    frame.render_widget(block, area);
    frame.render_widget(Paragraph::new(now), what);
    if let Some((_, played, length)) = phone.hears().filter(|(.., length)| !length.is_zero()) {
        let (played, length) = (played.as_secs_f64(), length.as_secs_f64());
        let gauge = Gauge::default()
            .gauge_style(Style::new().fg(Color::Green))
            .ratio((played / length).clamp(0.0, 1.0))
            .label(format!("{played:.1} of {length:.1} s"));
        frame.render_widget(gauge, bar);
    } else if !phone.pressed().is_empty() {
        let room = usize::from(bar.width).saturating_sub(9);
        let pressed = phone.pressed();
        let pressed = &pressed[pressed.len().saturating_sub(room)..];
        frame.render_widget(Paragraph::new(format!("pressed: {pressed}")), bar);
    }
}

fn draw_call(frame: &mut Frame<'_>, phone: &Phone, view: &mut View, area: Rect) {
    let title = if view.dialogue { " Call and dialogue " } else { " Call " };
    let block = Block::bordered().title(title);
    let inner = block.inner(area);
    let mut lines = Vec::new();
    for (time, text) in phone.transcript().lines() {
        let style = match text.get(..3) {
            Some("S>A") => Style::new().fg(Color::Cyan),
            Some("A>S") => Style::new().fg(Color::Yellow),
            _ => Style::new(),
        };
        if view.dialogue || text.starts_with("***") {
            let text = if view.dialogue { text } else { text.trim_start_matches("***").trim_start() };
            let text = format!("{:>8.3}s  {text}", time.as_secs_f64());
            lines.extend(wrapped(&text, 11, inner.width).map(|line| Line::styled(line, style)));
        }
    }
    let height = usize::from(inner.height);
    let most = lines.len().saturating_sub(height);
    view.above = view.above.min(most);
    let first = most - view.above;
    let block = if view.above > 0 { block.title_bottom(format!(" {} more ", view.above)) } else { block };
    let lines: Vec<_> = lines.into_iter().skip(first).take(height).collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn draw_variables(frame: &mut Frame<'_>, phone: &Phone, area: Rect) {
    let block = Block::bordered().title(" Variables ");
    let width = block.inner(area).width;
    let channel = phone.channel();
    let facts = [
        ("CALLERID", channel.caller_id().escape_ascii().to_string().replace("\\\"", "\"")),
        ("CHANNEL", channel.name.escape_ascii().to_string()),
        (
            "goes on at",
            [&channel.context, &channel.extension, &channel.priority]
                .map(|part| part.escape_ascii().to_string())
                .join(","),
        ),
    ];
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value));
    let variables = channel
        .variables()
        .map(|(name, value)| (name.escape_ascii().to_string(), value.escape_ascii().to_string()));
    // those that were set are what one looks for
    let lines = variables.chain(facts).flat_map(|(name, value)| {
        wrapped(&format!("{name}={value}"), 2, width).map(Line::from).collect::<Vec<_>>()
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()).block(block), area);
}

/// A text of ASCII in lines of that width, all but the first one indented: nothing is cut.
fn wrapped(text: &str, indent: usize, width: u16) -> impl Iterator<Item = String> {
    let width = usize::from(width).max(indent + 1);
    let letters: Vec<char> = text.chars().collect();
    let (first, rest) = letters.split_at(width.min(letters.len()));
    let rest = rest.chunks(width - indent).map(|part| " ".repeat(indent) + &part.iter().collect::<String>());
    std::iter::once(first.iter().collect()).chain(rest.collect::<Vec<_>>())
}

/// The keys, on as many lines as they need.
fn keys(phone: &Phone, view: &View, width: u16) -> Vec<Line<'static>> {
    if let Some(text) = &view.typing {
        return vec![Line::from(format!(" text: {text}_   (Enter sends it, Esc does not)"))];
    }
    if view.leaves.is_some() {
        return vec![Line::from(" the service is waited for; q again: do not wait")];
    }
    let mut keys = Vec::new();
    if !phone.is_over() && !phone.is_hung_up() {
        keys.extend([("0-9*#A-D", "press"), ("h", "hang up"), ("t", "text")]);
    }
    keys.extend([("d", "dialogue"), ("v", "variables"), ("↑ ↓", "scroll"), ("q", "quit")]);
    let mut lines = vec![Line::default()];
    for (key, what) in keys {
        let part = [Span::raw(" "), Span::raw(key).reversed(), Span::raw(format!(" {what} "))];
        let more: usize = part.iter().map(Span::width).sum();
        let last = lines.last_mut().filter(|line| line.width() + more <= usize::from(width));
        match last {
            Some(line) => line.spans.extend(part),
            None => lines.push(Line::from(part.to_vec())),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
