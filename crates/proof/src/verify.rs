//! Every kernel against its mirror over the table of shapes, and the proof that a wrong kernel would be noticed.

use crate::{Case, Difference, Row, cases, counted, faulty};
use gpu_core::{Device, Result, ops};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

/// The largest difference of each kernel from its mirror, relative to what is allowed, over the cases whose operator or kernels
/// contain `filter`; with an empty filter, a kernel that no case launches, though the device has the subgroups for it, is a failed row. `progress` is told each case.
///
/// # Errors
/// A fault of the device.
pub fn kernels(device: &Device, filter: &str, progress: &mut dyn FnMut(&str)) -> Result<Vec<Row>> {
    let mut worst: BTreeMap<&'static str, (Row, usize)> = BTreeMap::new();
    let (cases, of_kernels) = selected(filter);
    for case in &cases {
        progress(case.name);
        let (difference, launched) = compare(case, device, None)?;
        for kernel in launched.into_iter().filter(|kernel| kernel.contains(of_kernels)) {
            let row = row(kernel, case, difference);
            let (known, count) = worst.entry(kernel).or_insert_with(|| (row.clone(), 0));
            *count += 1;
            if excess(&row) > excess(known) {
                *known = row;
            }
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for kernel in ops::kernels().into_iter().filter(|kernel| kernel.runs_on(device)) {
        match worst.remove(kernel.name()) {
            Some((row, count)) => rows.push(Row { what: format!("{} (worst of {count})", row.what), ..row }),
            None if filter.is_empty() => rows.push(Row::failed(kernel.name(), "no case of the table launches it on this device")),
            None => {}
        }
    }
    // A kernel outside the list would be one that nobody counts.
    rows.extend(worst.into_keys().map(|kernel| Row::failed(kernel, "launched by a case, but not in the list of kernels")));
    Ok(rows)
}

/// The cases whose operator has `filter` in its name, with all their kernels; where there is none, all cases, for those of their
/// kernels that have it in theirs; and none where no kernel has.
fn selected(filter: &str) -> (Vec<Case>, &str) {
    let of_operators: Vec<Case> = cases().into_iter().filter(|case| case.name.contains(filter)).collect();
    match of_operators.is_empty() {
        false => (of_operators, ""),
        true if ops::kernels().iter().any(|kernel| kernel.name().contains(filter)) => (cases(), filter),
        true => (Vec::new(), filter),
    }
}

/// Plants a fault in the outputs of each kernel in turn; a row is ok if a case of the table noticed it.
///
/// # Errors
/// A fault of the device itself.
pub fn self_test(device: &Device, filter: &str, progress: &mut dyn FnMut(&str)) -> Result<Vec<Row>> {
    let (cases, of_kernels) = selected(filter);
    let mut tests: BTreeMap<&'static str, Vec<(Duration, usize)>> = BTreeMap::new();
    for (i, case) in cases.iter().enumerate() {
        progress(case.name);
        let began = Instant::now();
        let (_, launched) = compare(case, device, None)?;
        launched.into_iter().for_each(|kernel| tests.entry(kernel).or_default().push((began.elapsed(), i)));
    }
    let mut rows = Vec::new();
    let wanted = |name: &&str| name.contains(of_kernels) && (filter.is_empty() || tests.contains_key(name));
    let runnable = ops::kernels().into_iter().filter(|kernel| kernel.runs_on(device));
    let kernels: Vec<&'static str> = runnable.map(|k| k.name()).filter(wanted).collect();
    for kernel in kernels {
        progress(kernel);
        let mut candidates = tests.remove(kernel).unwrap_or_default();
        candidates.sort();
        let mut noticed = None;
        for (_, i) in candidates {
            let difference = with_fault(&cases[i], device, kernel)?;
            if !difference.ok() {
                noticed = Some((i, difference));
                break;
            }
        }
        rows.push(match noticed {
            Some((i, found)) => {
                let what = format!("planted fault noticed by {} {}", cases[i].name, cases[i].what);
                Row { ok: true, ..Row::new(kernel, what, f64::from(found.error), f64::from(found.bound)) }
            }
            None => Row::failed(kernel, "planted fault went unnoticed"),
        });
    }
    Ok(rows)
}

/// The difference of a case, and the kernels that it launched on `device`.
fn compare(case: &Case, device: &Device, fault: Option<&'static str>) -> Result<(Difference, BTreeSet<&'static str>)> {
    let (counted, launches) = counted(device);
    let device = fault.map_or(counted.clone(), |kernel| faulty(&counted, kernel));
    Ok((case.compare(&device)?, launches.names()))
}

/// The difference of a case with a fault planted. A mirror that panics over a spoiled index has noticed it too; a GPU kernel guards
/// its indices and goes on.
fn with_fault(case: &Case, device: &Device, kernel: &'static str) -> Result<Difference> {
    let run = || compare(case, device, Some(kernel));
    if device.is_gpu() {
        return Ok(run()?.0);
    }
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(hook);
    match outcome {
        Ok(compared) => Ok(compared?.0),
        Err(_) => Ok(Difference { error: f32::INFINITY, bound: 0.0 }),
    }
}

fn row(kernel: &str, case: &Case, difference: Difference) -> Row {
    Row::new(kernel, format!("{} {}", case.name, case.what), f64::from(difference.error), f64::from(difference.bound))
}

/// How much of its bound an error takes.
fn excess(row: &Row) -> f64 {
    if row.error == 0.0 { 0.0 } else { row.error / row.bound.max(f64::from(f32::MIN_POSITIVE)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table takes gigabytes, and minutes.
    #[test]
    fn a_filter_that_nothing_has_in_its_name_runs_no_case() {
        let run = |filter: &str| {
            let mut cases = 0;
            let rows = kernels(&Device::Cpu, filter, &mut |_| cases += 1).unwrap();
            let planted = self_test(&Device::Cpu, filter, &mut |_| cases += 1).unwrap();
            (cases, rows.len(), planted.len())
        };
        assert_eq!(run("nothing-like-this"), (0, 0, 0));
        let (cases, rows, planted) = run("pixel_shuffle");
        assert!(cases > 0 && rows > 0 && planted > 0, "{cases} cases, {rows} rows, {planted} faults");
    }
}
