//! Kernels changed before they are compiled: how a proof looks into them while they run, or breaks them.

use std::fmt::Debug;

/// What changes kernels on their way to the compiler. Rewritten kernels have bounds checks.
pub trait Rewrite: Debug + Send + Sync {
    /// A number for each text that [`text`](Self::text) makes of the source `wgsl`: what has been compiled under another one is not used.
    fn edition(&self, wgsl: &'static str) -> u64 {
        let _ = wgsl;
        0
    }

    /// The whole text of a kernel, which ends with its source `wgsl`.
    fn text(&self, wgsl: &'static str, text: String) -> String {
        let _ = wgsl;
        text
    }

    /// Changes a kernel's module, which naga has validated. What it adds may use a storage variable of one word in group 0 at binding
    /// [`REWRITE_SLOT`], `read_write`.
    fn module(&self, module: &mut naga::Module, info: &naga::valid::ModuleInfo) {
        let _ = (module, info);
    }
}

/// Where the word of a [`Rewrite`] is bound, above all slots of kernels.
pub const REWRITE_SLOT: u32 = 31;
