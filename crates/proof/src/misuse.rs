//! Wrong calls: what their panics must say, and where.

use crate::panics::{Panicked, told};
use gpu_core::Device;

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

impl Misuse {
    /// What is wrong with the panic; nothing if it is as it should be.
    pub fn complaint(&self, device: &Device) -> Option<String> {
        let Err(Panicked { message, file, line }) = told(|| (self.call)(device)) else {
            return Some(format!("{} at {}:{} does not panic", self.op, self.file, self.lines.start));
        };
        let named = message.strip_prefix(self.op).is_some_and(|rest| rest.starts_with(": "));
        let tells = self.says.iter().all(|text| message.contains(text));
        let here = file == self.file && self.lines.contains(&line);
        let wanted = format!("\"{}: ...\" with {:?} at {}:{:?}", self.op, self.says, self.file, self.lines);
        (!(named && tells && here)).then(|| format!("\"{message}\" at {file}:{line}; wanted: {wanted}"))
    }
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
