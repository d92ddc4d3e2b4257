//! Frames as text, at several sizes, and keys that nobody pressed.

use super::board::Board;
use super::draw::draw;
use super::keys::Keys;
use super::screen::{End, Way, back_on_panic, watch};
use super::shared::{Shared, Word};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::style::Color;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use train::onlooker::{Course, Epoch, Event, Figures, Onlooker, Wish};

fn ready() -> Event<'static> {
    let folder = Path::new("/no/such/run");
    Event::Ready(Course { model: "resnet20", data: "CIFAR-10", device: "CPU", folder, epochs: 4, steps: 400 })
}

fn figures(step: u64, is_line: bool) -> Event<'static> {
    let share = step as f64 / 400.0;
    Event::Figures(Figures {
        step,
        loss: 2.3 - 2.0 * share,
        accuracy: Some(share),
        lr: 0.05,
        images_per_s: Some(1234.4),
        left: Some(Duration::from_secs(252)),
        peak_bytes: 123 << 20,
        is_line,
    })
}

/// In its third epoch.
fn board() -> Board {
    let mut board = Board::default();
    board.see(Event::Said("run: runs/a"));
    board.see(ready());
    for step in (10..=250).step_by(10) {
        board.see(figures(step, true));
        if step % 100 == 0 {
            let (loss, accuracy) = (Some(2.4 - step as f64 / 200.0), Some(step as f64 / 500.0));
            board.see(Event::Epoch(Epoch { step, loss, accuracy }));
            board.see(Event::Said("epoch is over"));
        }
    }
    board.see(Event::Saved(200));
    board.see(Event::Begun { title: "epoch 3/4", done: 0, parts: 100 });
    (0..50).for_each(|_| board.see(Event::Advanced));
    board
}

fn drawn(board: &Board, width: u16, height: u16) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, board)).unwrap();
    terminal.backend().buffer().clone()
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect()
}

fn dots(lines: &[String]) -> usize {
    lines.iter().flat_map(|line| line.chars()).filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count()
}

#[test]
fn a_frame_of_80_by_24_has_everything() {
    let buffer = drawn(&board(), 80, 24);
    let lines = lines(&buffer);
    assert_eq!(lines[0], "resnet20 on CIFAR-10 (CPU)");
    assert!(lines[1].starts_with("epoch 3/4 ━") && lines[1].ends_with("─ 50/100"), "{}", lines[1]);
    // Half of an odd number of columns.
    assert_eq!(lines[1].matches('━').count() + 1, lines[1].matches('─').count());
    assert_eq!(lines[2], "step 250 of 400  loss 1.050  62.5 %  validation 1.400, 40.0 %  rate 0.05");
    assert_eq!(lines[3], "1234 images/s  4:12 left  123 MiB  saved at 200");
    assert!(lines[4].contains(" loss • validation ") && lines[4].contains(" accuracy • validation "), "{}", lines[4]);
    let whole = lines.join("\n");
    for figure in ["2.250", "1.050", "62.5 %", "2.5 %", "250"] {
        assert!(whole.contains(figure), "{figure} is missing:\n{whole}");
    }
    // The curves of both, and a point an epoch in each.
    assert!(dots(&lines) > 40 && lines[5..18].iter().map(|line| line.matches('•').count()).sum::<usize>() == 4, "{whole}");
    assert_eq!(lines[19..], ["run: runs/a", "epoch is over", "epoch is over", "", "q stop  s save  p pause  + - rate"]);
    // The terminal's own ground and letters: light or dark.
    for cell in buffer.content() {
        assert!(cell.bg == Color::Reset && [Color::Reset, Color::Magenta].contains(&cell.fg), "{cell:?}");
    }
}

#[test]
fn a_frame_of_40_by_12_has_the_figures_a_curve_and_the_keys() {
    let lines = lines(&drawn(&board(), 40, 12));
    assert!(lines[1].starts_with("epoch 3/4 ━") && lines[1].ends_with(" 50/100"), "{}", lines[1]);
    assert_eq!(lines[2], "step 250 of 400  loss 1.050  62.5 %");
    assert_eq!(lines[3], "validation 1.400, 40.0 %  rate 0.05");
    assert_eq!(lines[4], "1234 images/s  4:12 left  123 MiB");
    assert!(lines[5].starts_with(" loss • validation") && dots(&lines) > 5, "{lines:?}");
    assert_eq!((&lines[10][..], &lines[11][..]), ("epoch is over", "q stop  s save  p pause  + - rate"));
}

#[test]
fn a_frame_of_whatever_size_is_drawn() {
    let mut wide = board();
    wide.heading = "ä".repeat(300);
    wide.tell("日本語 and more of a message that is longer than most terminals are wide, and then some more of it");
    for board in [&Board::default(), &board(), &wide] {
        for width in [0, 1, 2, 7, 20, 39, 60, 200] {
            for height in [0, 1, 2, 3, 5, 8, 13, 19, 60] {
                drawn(board, width, height);
            }
        }
    }
    let mut still = Board::default();
    still.see(ready());
    assert_eq!(lines(&drawn(&still, 80, 24))[2], "before the first step");
    // One point alone, and a loss that is not finite.
    still.see(figures(10, true));
    let Event::Figures(bad) = figures(20, true) else { unreachable!() };
    still.see(Event::Figures(Figures { loss: f64::NAN, accuracy: None, ..bad }));
    let lines = lines(&drawn(&still, 80, 24));
    assert!(lines[2].starts_with("step 20 of 400  loss NaN  rate 0.05") && lines[3].contains(" loss "), "{lines:?}");
}

#[test]
fn a_run_that_waits_or_ends_says_so() {
    let mut board = board();
    board.is_held = true;
    let held = lines(&drawn(&board, 40, 12));
    assert!(
        held[1].starts_with(" paused  epoch 3/4 ") && held[1].chars().count() <= 40 && held[11].contains("p go on"),
        "{held:?}"
    );
    board.is_stopping = true;
    assert!(lines(&drawn(&board, 40, 12))[1].starts_with(" stopping  epoch"));
}

/// Keys that are pressed one after the other, and what happens in between.
struct Fake<'a> {
    inputs: VecDeque<Input>,
    between: &'a mut dyn FnMut(usize),
    pressed: usize,
    shared: &'a Shared,
}

impl Keys for Fake<'_> {
    fn next(&mut self, _within: Duration) -> io::Result<Option<Input>> {
        (self.between)(self.pressed);
        self.pressed += 1;
        let next = self.inputs.pop_front();
        self.shared.done.fetch_or(next.is_none(), SeqCst);
        // A terminal that says nothing, or that is gone, is none that ends a run.
        if self.pressed == 1 { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(next) }
    }
}

fn key(code: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(code), KeyModifiers::NONE)
}

fn control_c() -> KeyEvent {
    KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)
}

/// How it ended, the wishes, and the last frame.
fn pressed(shared: &Shared, keys: &[KeyEvent], between: &mut dyn FnMut(usize)) -> (End, Vec<Wish>, Vec<String>) {
    let mut terminal = Terminal::new(TestBackend::new(60, 14)).unwrap();
    // The first one is lost to a fault.
    let inputs = [Input::FocusGained].into_iter().chain(keys.iter().map(|key| Input::Key(*key))).collect();
    let mut fake = Fake { inputs, between, pressed: 0, shared };
    let end = watch(&mut terminal, &mut fake, shared, &Way::default());
    let wishes = std::iter::from_fn(|| shared.wish(1)).collect();
    (end, wishes, lines(terminal.backend().buffer()))
}

#[test]
fn keys_become_wishes() {
    let shared = Shared::default();
    let mut released = key('s');
    released.kind = KeyEventKind::Release;
    let keys = [key('s'), released, key('p'), key('x'), key(' '), key('P'), key('+'), key('='), key('-')];
    let (end, wishes, _) = pressed(&shared, &keys, &mut |_| {});
    let (faster, slower) = (Wish::Rate(1.1), Wish::Rate(1.0 / 1.1));
    assert_eq!(wishes, [Wish::Save, Wish::Hold, Wish::GoOn, Wish::Hold, faster, faster, slower]);
    assert!(end == End::Over && !shared.stop.load(SeqCst));
}

#[test]
fn q_ends_a_run_and_a_second_interrupt_ends_the_process() {
    for (keys, end) in [
        (vec![key('q'), key('q'), key('q')], End::Over),
        (vec![control_c()], End::Over),
        (vec![control_c(), control_c()], End::AtOnce),
        (vec![key('q'), control_c()], End::AtOnce),
    ] {
        let shared = Shared::default();
        let (ended, wishes, _) = pressed(&shared, &keys, &mut |_| {});
        assert!(ended == end && wishes.is_empty() && shared.stop.load(SeqCst), "{keys:?}");
    }
    let signals = |count: usize| {
        let shared = Shared::default();
        let mut signal = |pressed: usize| shared.signalled.store(pressed < count, SeqCst);
        (pressed(&shared, &[key('x'), key('x'), key('x')], &mut signal).0, shared.stop.load(SeqCst))
    };
    assert_eq!([0, 1, 2].map(signals), [(End::Over, false), (End::Over, true), (End::AtOnce, true)]);
}

#[test]
fn what_a_run_tells_is_drawn_and_kept_for_the_time_after() {
    let shared = Shared::default();
    let mut tell = |pressed| {
        if pressed == 1 {
            shared.see(ready());
            shared.see(Event::Said("epoch 1/4: loss 1.9"));
            shared.see(Event::Noted("a remark"));
            shared.see(figures(30, true));
        }
    };
    let (_, _, lines) = pressed(&shared, &[key('x'), key('x')], &mut tell);
    assert!(lines[0] == "resnet20 on CIFAR-10 (CPU)" && lines[2].starts_with("step 30 of 400"), "{lines:?}");
    assert_eq!(shared.take_words(), [Word::Said("epoch 1/4: loss 1.9".into()), Word::Noted("a remark".into())]);
    assert_eq!(shared.take_words(), []);
}

/// How often the terminal was given back by the panic hook.
static LEFT: AtomicU32 = AtomicU32::new(0);

fn count() {
    LEFT.fetch_add(1, SeqCst);
}

#[test]
fn a_panic_goes_the_way_back_first_and_only_once() {
    let (shared, way) = (Arc::new(Shared::default()), Arc::new(Way::default()));
    back_on_panic(shared.clone(), way.clone(), count);
    let panicked = std::thread::spawn(|| panic!("this is meant")).join();
    assert!(panicked.is_err() && LEFT.load(SeqCst) == 1 && shared.done.load(SeqCst));
    way.back(&shared, count);
    assert_eq!(LEFT.load(SeqCst), 1);
}
