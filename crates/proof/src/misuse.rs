//! Wrong calls: what their panics must say, and where.

use gpu_core::Device;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One wrong call of an operator, made by the macro `misuse!`.
pub struct Misuse {
    /// The operator, with which the message begins.
    pub op: &'static str,
    /// What the message holds besides.
    pub says: &'static [&'static str],
    /// Where the call stands.
    pub file: &'static str,
    /// The lines in one of which the call stands.
    pub lines: std::ops::Range<u32>,
    /// The call.
    pub call: Box<dyn Fn(&Device)>,
}

/// `misuse!("add", ["[2]", "[3]"], |device| add(&a, &b))`: the call must panic at its own line, with a message that begins with the operator's name and
/// holds each of the texts. The call stands within five lines of the row's beginning.
macro_rules! misuse {
    ($op:expr, [$($says:expr),*], |$device:pat_param| $call:expr) => {
        $crate::Misuse {
            op: $op,
            says: &[$($says),*],
            file: file!(),
            lines: line!()..line!() + 6,
            call: Box::new(|$device: &gpu_core::Device| {
                let _ = $call;
            }),
        }
    };
}

pub(crate) use misuse;

thread_local! {
    static SEEN: RefCell<Option<(String, String, u32)>> = const { RefCell::new(None) };
}

impl Misuse {
    /// What is wrong with the panic; nothing if it is as it should be.
    pub fn complaint(&self, device: &Device) -> Option<String> {
        let Some((message, file, line)) = panic_of(|| (self.call)(device)) else {
            return Some(format!("{} at {}:{} does not panic", self.op, self.file, self.lines.start));
        };
        let named = message.strip_prefix(self.op).is_some_and(|rest| rest.starts_with(": "));
        let tells = self.says.iter().all(|text| message.contains(text));
        let here = file == self.file && self.lines.contains(&line);
        let wanted = format!("\"{}: ...\" with {:?} at {}:{:?}", self.op, self.says, self.file, self.lines);
        (!(named && tells && here)).then(|| format!("\"{message}\" at {file}:{line}; wanted: {wanted}"))
    }
}

/// The message, file and line of the panic that `f` ends in.
fn panic_of(f: impl FnOnce()) -> Option<(String, String, u32)> {
    static HOOK: std::sync::Once = std::sync::Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let expected = SEEN.with_borrow_mut(|seen| match (seen, info.location()) {
                (Some(seen), Some(at)) => {
                    *seen = (info.payload_as_str().unwrap_or("").to_owned(), at.file().to_owned(), at.line());
                    true
                }
                _ => false,
            });
            if !expected {
                before(info);
            }
        }));
    });
    SEEN.set(Some(Default::default()));
    let ended = catch_unwind(AssertUnwindSafe(f));
    let seen = SEEN.take();
    ended.is_err().then_some(seen).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong() {
        panic!("cube: x has shape [2]");
    }

    #[track_caller]
    fn cube(says: &str) {
        panic!("cube: x has {says}");
    }

    #[test]
    fn a_panic_elsewhere_or_of_another_text_is_noticed() {
        let cpu = Device::Cpu;
        let elsewhere = misuse!("cube", ["[2]"], |_| wrong());
        assert!(elsewhere.complaint(&cpu).unwrap().contains("cube: x has shape [2]"));
        assert_eq!(misuse!("cube", ["[2]"], |_| cube("shape [2]")).complaint(&cpu), None);
        assert!(misuse!("cube", ["[3]"], |_| cube("shape [2]")).complaint(&cpu).is_some());
        assert!(misuse!("cubes", ["[2]"], |_| cube("shape [2]")).complaint(&cpu).is_some());
        assert!(misuse!("cube", [], |_| ()).complaint(&cpu).unwrap().contains("does not panic"));
    }
}
