//! Memory that is not there, as an error of whoever asked for the work.

use crate::base::{Error, Result};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

thread_local! {
    /// Whether this thread is in [`within_memory`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`, and gives an error where a device cannot give the memory that `f` asks for on this thread. Outside, such a request panics on
/// the CPU device, and puts a GPU at fault: tensors are made by calls without a result.
///
/// What `f` had under way is dropped. What it shares with its surroundings (a network that it trained, say) is in the middle of a step.
///
/// ```
/// use gpu_core::{Device, Error, Tensor, within_memory};
/// match within_memory(|| Tensor::zeros(&Device::Cpu, [1 << 20])) {
///     Ok(tensor) => assert_eq!(tensor.len(), 1 << 20),
///     Err(Error::OutOfMemory { asked, detail }) => println!("{asked} bytes: {detail}"),
///     Err(other) => panic!("{other}"),
/// }
/// ```
///
/// # Errors
/// [`Error::OutOfMemory`].
///
/// # Panics
/// Whatever panics in `f` for another reason.
pub fn within_memory<R>(f: impl FnOnce() -> R) -> Result<R> {
    struct Inside(bool);
    impl Drop for Inside {
        fn drop(&mut self) {
            INSIDE.set(self.0);
        }
    }
    let before = Inside(INSIDE.replace(true));
    let caught = catch_unwind(AssertUnwindSafe(f));
    drop(before);
    caught.map_err(|payload| match payload.downcast::<Error>() {
        Ok(error) => *error,
        Err(other) => resume_unwind(other),
    })
}

/// Whether this thread waits for a refusal.
pub(super) fn is_within_memory() -> bool {
    INSIDE.get()
}

/// Ends what cannot go on without this memory.
#[track_caller]
pub(super) fn refuse(error: Error) -> ! {
    match is_within_memory() {
        // No panic of a program: nothing is printed.
        true => resume_unwind(Box::new(error)),
        false => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Memory;
    use crate::run::host::HostMemory;
    use crate::{Device, Tensor};

    #[test]
    fn a_request_that_cannot_be_met_is_an_error_inside_and_a_panic_outside() {
        // More than any machine has, and more than a tensor may be.
        let huge = || HostMemory.make(1 << 60).map(drop).unwrap_or_else(|error| refuse(error));
        let error = within_memory(huge).unwrap_err();
        assert!(matches!(&error, Error::OutOfMemory { asked, .. } if *asked >= 1 << 60), "{error}");
        let panicked = catch_unwind(huge).unwrap_err();
        assert!(panicked.downcast_ref::<String>().is_some_and(|text| text.starts_with("out of device memory")));
        assert_eq!(within_memory(|| Tensor::scalar(&Device::Cpu, 2.0).item()).unwrap(), Ok(2.0));
    }

    #[test]
    fn another_panic_stays_one() {
        let caught = catch_unwind(|| within_memory(|| panic!("a wrong program")));
        assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"a wrong program"));
    }
}
