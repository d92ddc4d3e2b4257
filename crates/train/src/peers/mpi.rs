//! Peers that a launcher has started: the bytes go by MPI, whose library is opened when it is needed. Nothing of it is there when this is
//! built, and one program goes with Open MPI, MPICH and its relatives, and the ABI of the standard itself (MPI 5.0).
//!
//! The only unsafe code of this crate. What makes it sound: each function has the arguments of the MPI standard; a communicator and a
//! datatype are a pointer, or an `int`, which is passed as the low half of a word of its size; buffers are slices that outlive the call,
//! of the lengths that are told; one call is made at a time; and the library stays open to the end of the process.
#![allow(unsafe_code)]

use super::engine::Engine;
use crate::error::{Error, Result};
use libloading::Library;
use std::ffi::{c_char, c_int, c_void};
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

/// An `MPI_Comm` or an `MPI_Datatype`.
type Handle = usize;
/// Bytes of one call at most: counts are `int`.
const MOST: usize = 1 << 30;

/// What differs between libraries.
struct Abi {
    world: Handle,
    byte: Handle,
    /// `MPI_THREAD_SERIALIZED`.
    serialized: c_int,
}

/// An MPI library that has begun; there is one a process.
pub struct Mpi {
    calls: Mutex<Calls>,
    version: String,
    rank: usize,
    size: usize,
}

struct Calls {
    abi: Abi,
    all_to_all: unsafe extern "C" fn(*const c_void, c_int, Handle, *mut c_void, c_int, Handle, Handle) -> c_int,
    all_gather: unsafe extern "C" fn(*const c_void, c_int, Handle, *mut c_void, c_int, Handle, Handle) -> c_int,
    broadcast: unsafe extern "C" fn(*mut c_void, c_int, Handle, c_int, Handle) -> c_int,
    finalize: unsafe extern "C" fn() -> c_int,
    abort: unsafe extern "C" fn(Handle, c_int) -> c_int,
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} of {})", self.version, self.rank, self.size)
    }
}

/// A function of the library, by its name and its type.
///
/// # Safety
/// `F` is the type of the function.
unsafe fn function<F: Copy>(library: &Library, name: &str) -> Option<F> {
    // SAFETY: the caller's.
    unsafe { library.get::<F>(name.as_bytes()) }.ok().map(|symbol| *symbol)
}

impl Mpi {
    /// Opens the library called `name`, and begins; none where there is no such library, or it is none of MPI.
    ///
    /// # Errors
    /// If it is there and does not begin.
    pub fn open(name: &str) -> Result<Option<Self>> {
        // SAFETY: what a library of MPI does when it is loaded is what a program that is linked to it relies on.
        let Ok(library) = (unsafe { Library::new(name) }) else { return Ok(None) };
        // Its threads and handlers outlive whoever drops it.
        let library: &'static Library = Box::leak(Box::new(library));
        // SAFETY: the types are those of the functions in the standard.
        unsafe { Self::begin(name, library) }
    }

    /// # Safety
    /// The functions that `library` has under the names of the standard are those of the standard.
    unsafe fn begin(name: &str, library: &Library) -> Result<Option<Self>> {
        // SAFETY: the caller's, here and below.
        let found = unsafe { (abi_of(name, library), Self::calls(library)) };
        let (Some(abi), Some(calls)) = found else { return Ok(None) };
        let calls = calls(abi);
        let (mut provided, mut rank, mut size, mut len) = (0, 0, 0, 0);
        // As long as the longest that any library has.
        let mut text = [0u8; 8192 + 1];
        let missing = || Error::Setting(format!("{name} has not all of MPI"));
        // SAFETY: null for the arguments of the program is allowed since MPI 2; each of the others points to a variable of the type told.
        let began = unsafe {
            let init =
                function::<unsafe extern "C" fn(*mut c_int, *mut c_void, c_int, *mut c_int) -> c_int>(library, "MPI_Init_thread");
            let number = |what| function::<unsafe extern "C" fn(Handle, *mut c_int) -> c_int>(library, what).ok_or_else(missing);
            let version = function::<unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int>(library, "MPI_Get_library_version");
            version.ok_or_else(missing)?(text.as_mut_ptr().cast(), &mut len);
            let (rank_of, size_of) = (number("MPI_Comm_rank")?, number("MPI_Comm_size")?);
            init.ok_or_else(missing)?(std::ptr::null_mut(), std::ptr::null_mut(), calls.abi.serialized, &mut provided)
                + rank_of(calls.abi.world, &mut rank)
                + size_of(calls.abi.world, &mut size)
        };
        if began != 0 || size < 1 || rank < 0 {
            return Error::setting(format!("MPI ({name}) did not begin: error {began}"));
        }
        let version = String::from_utf8_lossy(&text[..(len.max(0) as usize).min(text.len())]);
        let version = version.split([',', '\n', '\0']).next().unwrap_or(name).trim().to_owned();
        Ok(Some(Self { calls: Mutex::new(calls), version, rank: rank as usize, size: size as usize }))
    }

    /// # Safety
    /// As [`begin`](Self::begin).
    unsafe fn calls(library: &Library) -> Option<impl FnOnce(Abi) -> Calls + use<>> {
        // SAFETY: the caller's.
        unsafe {
            let all_to_all = function(library, "MPI_Alltoall")?;
            let all_gather = function(library, "MPI_Allgather")?;
            let broadcast = function(library, "MPI_Bcast")?;
            let finalize = function(library, "MPI_Finalize")?;
            let abort = function(library, "MPI_Abort")?;
            Some(move |abi| Calls { abi, all_to_all, all_gather, broadcast, finalize, abort })
        }
    }

    /// How many processes it knows of.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What the library calls itself.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn calls_now(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().expect("nothing panics with it")
    }
}

/// How a library writes its constants: Open MPI as variables, MPICH and its relatives as numbers, the standard as others.
///
/// # Safety
/// `library` is one of MPI, or none.
unsafe fn abi_of(name: &str, library: &Library) -> Option<Abi> {
    // SAFETY: these are variables, whose addresses alone are taken.
    let [world, byte] = unsafe {
        ["ompi_mpi_comm_world", "ompi_mpi_byte"]
            .map(|name| library.get::<*mut c_void>(name.as_bytes()).ok().map(|s| s.try_as_raw_ptr()))
    };
    match (world.flatten(), byte.flatten()) {
        (Some(world), Some(byte)) => Some(Abi { world: world as Handle, byte: byte as Handle, serialized: 2 }),
        _ if Path::new(name).file_name().is_some_and(|file| file.to_string_lossy().contains("mpi_abi")) => {
            Some(Abi { world: 0x101, byte: 0x247, serialized: 2048 })
        }
        _ => Some(Abi { world: 0x4400_0000, byte: 0x4c00_010d, serialized: 2 }),
    }
}

fn told(code: c_int) -> Result<()> {
    // The library's own handler ends the process before; a library without one says it here.
    if code == 0 { Ok(()) } else { Error::setting(format!("MPI: error {code}")) }
}

impl Engine for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let chunk = send.len() / self.size;
        assert!(receive.len() == send.len() && send.len() == chunk * self.size, "all_to_all: a chunk for each");
        let calls = self.calls_now();
        let step = MOST / self.size;
        if chunk <= step {
            // SAFETY: each buffer has `size` chunks of so many bytes.
            return told(unsafe {
                let (count, byte) = (chunk as c_int, calls.abi.byte);
                (calls.all_to_all)(send.as_ptr().cast(), count, byte, receive.as_mut_ptr().cast(), count, byte, calls.abi.world)
            });
        }
        drop(calls);
        // A piece of each chunk at a time.
        for at in (0..chunk).step_by(step) {
            let len = step.min(chunk - at);
            let piece: Vec<u8> = send.chunks_exact(chunk).flat_map(|chunk| &chunk[at..at + len]).copied().collect();
            let mut received = vec![0; len * self.size];
            self.all_to_all(&piece, &mut received)?;
            received
                .chunks_exact(len)
                .zip(receive.chunks_exact_mut(chunk))
                .for_each(|(piece, chunk)| chunk[at..at + len].copy_from_slice(piece));
        }
        Ok(())
    }

    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        let chunk = send.len();
        assert!(receive.len() == chunk * self.size, "all_gather: a chunk of each");
        let calls = self.calls_now();
        let step = MOST / self.size;
        if chunk <= step {
            // SAFETY: so many bytes are sent, and received of each.
            return told(unsafe {
                let (count, byte) = (chunk as c_int, calls.abi.byte);
                (calls.all_gather)(send.as_ptr().cast(), count, byte, receive.as_mut_ptr().cast(), count, byte, calls.abi.world)
            });
        }
        drop(calls);
        for at in (0..chunk).step_by(step) {
            let len = step.min(chunk - at);
            let mut received = vec![0; len * self.size];
            self.all_gather(&send[at..at + len], &mut received)?;
            received
                .chunks_exact(len)
                .zip(receive.chunks_exact_mut(chunk))
                .for_each(|(piece, chunk)| chunk[at..at + len].copy_from_slice(piece));
        }
        Ok(())
    }

    fn broadcast(&self, bytes: &mut [u8]) -> Result<()> {
        let calls = self.calls_now();
        for piece in bytes.chunks_mut(MOST) {
            // SAFETY: the buffer has so many bytes.
            told(unsafe {
                (calls.broadcast)(piece.as_mut_ptr().cast(), piece.len() as c_int, calls.abi.byte, 0, calls.abi.world)
            })?;
        }
        Ok(())
    }

    fn leave(&self) {
        // SAFETY: nothing of MPI is called afterwards: whoever leaves is done.
        unsafe { (self.calls_now().finalize)() };
    }

    fn abandon(&self, code: u8) {
        let calls = self.calls_now();
        // SAFETY: it does not come back.
        unsafe { (calls.abort)(calls.abi.world, code.into()) };
    }
}
