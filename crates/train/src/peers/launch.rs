//! What a launcher has told this process: whether it is one of several, and which MPI it came with.

use super::Peers;
use super::mpi::Mpi;
use crate::error::{Error, Result};
use std::env::var;

/// What the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Processes that were started.
    pub size: usize,
    /// The variable that says so.
    variable: &'static str,
    /// The libraries that such a launcher goes with, the likeliest first.
    libraries: &'static [&'static str],
}

const OPEN_MPI: &str = if cfg!(target_os = "macos") { "libmpi.40.dylib" } else { "libmpi.so.40" };
const MPICH: &str = if cfg!(target_os = "macos") { "libmpi.12.dylib" } else { "libmpi.so.12" };
const MPICH_DEBIAN: &str = "libmpich.so.12";
const STANDARD: &str = if cfg!(target_os = "macos") { "libmpi_abi.1.dylib" } else { "libmpi_abi.so.1" };
const MICROSOFT: &str = "msmpi.dll";

/// By the variable that a launcher sets: Open MPI's `mpirun`, MPICH's and Intel's `mpiexec`, Slurm's `srun`.
const LAUNCHERS: [(&str, &[&str]); 3] = if cfg!(windows) {
    [("PMI_SIZE", &[MICROSOFT]), ("OMPI_COMM_WORLD_SIZE", &[]), ("SLURM_STEP_NUM_TASKS", &[])]
} else {
    [
        ("OMPI_COMM_WORLD_SIZE", &[OPEN_MPI]),
        ("PMI_SIZE", &[MPICH, MPICH_DEBIAN, STANDARD]),
        ("SLURM_STEP_NUM_TASKS", &[OPEN_MPI, MPICH, MPICH_DEBIAN, STANDARD]),
    ]
};

/// What the environment of this process says; none where it was started by itself, or as one of one.
pub fn launched() -> Option<Launch> {
    let told = |(variable, libraries): (&'static str, &'static [&'static str])| {
        let size = var(variable).ok()?.parse().ok()?;
        (size > 1).then_some(Launch { size, variable, libraries })
    };
    LAUNCHERS.into_iter().find_map(told)
}

/// Refuses `what` where several copies of this program were started: each would do the same.
///
/// # Errors
/// If they were.
pub fn expect_one_process(what: &str) -> Result<()> {
    match launched() {
        None => Ok(()),
        Some(Launch { size, .. }) => Error::setting(format!(
            "{size} copies of {what} were started, and it is for one: start it without a launcher (`wgrad train` is for several)"
        )),
    }
}

impl Launch {
    /// Joins the others by MPI: the library that `WGRAD_MPI` names, or the first that answers of those that go with the launcher.
    ///
    /// # Errors
    /// If none answers, or the one that does knows nothing of the launcher: it would be as many runs as there are processes.
    pub fn join(&self) -> Result<Peers> {
        let Self { size, variable, libraries } = self;
        let named = var("WGRAD_MPI").ok().filter(|name| !name.is_empty());
        let names: Vec<&str> = named.as_deref().map_or_else(|| libraries.to_vec(), |name| vec![name]);
        let begun = format!("{size} copies were started ({variable}={size})");
        for name in &names {
            let Some(mpi) = Mpi::open(name)? else { continue };
            if mpi.size() == *size {
                return Peers::by_mpi(mpi);
            }
            return Error::setting(format!(
                "{begun} but {name} ({}) knows of {}: it is not the launcher's MPI; name that by WGRAD_MPI",
                mpi.version(),
                mpi.size()
            ));
        }
        let how = if named.is_some() { "name one by WGRAD_MPI" } else { "install openmpi-bin or mpich, or name one by WGRAD_MPI" };
        Error::setting(format!("{begun} but no MPI library answers (tried {}): {how}", names.join(", ")))
    }
}
