//! Panics that are looked for: caught, and told rather than printed.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// What a panic said, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Panicked {
    pub message: String,
    pub file: String,
    pub line: u32,
}

thread_local! {
    /// The panic of this thread, while one is looked for.
    static SEEN: RefCell<Option<Panicked>> = const { RefCell::new(None) };
}

/// The result of `f`, or the panic that it ends in.
pub(crate) fn told<R>(f: impl FnOnce() -> R) -> Result<R, Panicked> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let expected = SEEN.with_borrow_mut(|seen| match (seen, info.location()) {
                (Some(seen), Some(at)) => {
                    let message = info.payload_as_str().unwrap_or("").to_owned();
                    *seen = Panicked { message, file: at.file().to_owned(), line: at.line() };
                    true
                }
                _ => false,
            });
            if !expected {
                before(info);
            }
        }));
    });
    SEEN.set(Some(Panicked::default()));
    let ended = catch_unwind(AssertUnwindSafe(f));
    let seen = SEEN.take();
    ended.map_err(|_| seen.unwrap_or_default())
}
