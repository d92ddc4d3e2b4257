//! All forms of all kernels.

use crate::{Launch, cases, counted, devices};
use gpu_core::Result;
use std::collections::BTreeMap;

/// Every kernel with every set of constants that the table of cases asks for, by name: the forms for hardware, which the CPU device
/// takes, and those of the GPU where there is one. The table is run once on each device.
///
/// # Errors
/// A fault of the GPU.
///
/// ```no_run
/// for form in proof::forms()? {
///     println!("{} {:?}: {} bytes of WGSL", form.kernel.name(), form.constants, form.source().len());
/// }
/// # Ok::<(), gpu_core::Error>(())
/// ```
pub fn forms() -> Result<Vec<Launch>> {
    let mut all = BTreeMap::new();
    for device in devices() {
        let (device, launches) = counted(&device);
        for case in cases() {
            case.run(&device);
            for launch in launches.take() {
                all.insert((launch.kernel.name(), launch.constants.clone(), launch.params_bytes), launch);
            }
        }
        device.synchronize()?;
    }
    Ok(all.into_values().collect())
}
