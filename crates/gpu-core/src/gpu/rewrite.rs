//! Kernels changed before they are compiled: how a proof looks into them while they run.

/// Changes a kernel's module, which naga has validated. What it adds may use a storage variable of one word in group 0 at binding
/// [`REWRITE_SLOT`], `read_write`.
pub type Rewrite = fn(&mut naga::Module, &naga::valid::ModuleInfo);

/// Where the word of a [`Rewrite`] is bound, above all slots of kernels.
pub const REWRITE_SLOT: u32 = 31;
