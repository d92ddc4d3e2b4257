//! What starts several processes of a program that know of one another.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// An MPI that is installed here.
#[derive(Clone)]
pub struct Launcher {
    program: PathBuf,
    flags: &'static [&'static str],
    /// What the program must be told, where it could not guess it.
    library: Option<PathBuf>,
}

impl Launcher {
    /// As Debian has it; none, with a word, where it is not there.
    pub fn open_mpi() -> Option<Self> {
        Self { program: "mpirun.openmpi".into(), flags: &["--allow-run-as-root", "--oversubscribe"], library: None }.found()
    }

    /// The same of MPICH.
    pub fn mpich() -> Option<Self> {
        Self { program: "mpirun.mpich".into(), flags: &[], library: None }.found()
    }

    /// The ABI of MPI 5.0, by the MPICH that `scripts/test` installs beside Python's packages.
    pub fn standard() -> Option<Self> {
        let installed = crate::export::runtime::python().parent()?.parent()?.to_path_buf();
        let library = Some(installed.join("lib/libmpi_abi.so.1"));
        Self { program: installed.join("bin/mpiexec"), flags: &[], library }.found()
    }

    fn found(self) -> Option<Self> {
        let answers = Command::new(&self.program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !answers.is_ok_and(|status| status.success()) {
            eprintln!("skipped: {} is not installed", self.program.display());
            return None;
        }
        Some(self)
    }

    /// So many processes of `command`.
    pub fn of(&self, processes: usize, command: &Command) -> Command {
        let mut launched = Command::new(&self.program);
        launched.args(self.flags).args(["-n", &processes.to_string()]);
        self.with(launched, command)
    }

    /// One process of each.
    pub fn of_each(&self, first: &Command, second: &Command) -> Command {
        let mut launched = self.of(1, first);
        launched.args([":", "-n", "1"]);
        self.with(launched, second)
    }

    fn with(&self, mut launched: Command, command: &Command) -> Command {
        launched.arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            launched.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => launched.env(name, value),
                None => launched.env_remove(name),
            };
        }
        if let Some(library) = &self.library {
            launched.env("WGRAD_MPI", library);
        }
        // A launcher's sockets lie there, and their names have a bound.
        launched.env("TMPDIR", "/tmp");
        launched
    }
}
