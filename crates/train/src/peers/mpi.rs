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
use std::sync::{Arc, Mutex, MutexGuard};

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

/// Processes that know of one another by an MPI library: all that were started, or [some](Self::split) of them.
pub struct Mpi {
    library: Arc<Begun>,
    /// Who they are.
    communicator: Handle,
    rank: usize,
    size: usize,
}

/// A library that has begun; there is one a process.
struct Begun {
    /// One call at a time.
    calls: Mutex<Calls>,
    version: String,
    host: String,
}

type InOut = unsafe extern "C" fn(*const c_void, c_int, Handle, *mut c_void, c_int, Handle, Handle) -> c_int;

struct Calls {
    abi: Abi,
    rank: unsafe extern "C" fn(Handle, *mut c_int) -> c_int,
    size: unsafe extern "C" fn(Handle, *mut c_int) -> c_int,
    split: unsafe extern "C" fn(Handle, c_int, c_int, *mut Handle) -> c_int,
    all_to_all: InOut,
    all_gather: InOut,
    broadcast: unsafe extern "C" fn(*mut c_void, c_int, Handle, c_int, Handle) -> c_int,
    finalize: unsafe extern "C" fn() -> c_int,
    abort: unsafe extern "C" fn(Handle, c_int) -> c_int,
}

impl fmt::Debug for Mpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} of {})", self.library.version, self.rank, self.size)
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
        // SAFETY: the functions of these names are those of the standard.
        unsafe { Self::begin(name, library) }
    }

    /// # Safety
    /// The functions that `library` has under the names of the standard are those of the standard.
    unsafe fn begin(name: &str, library: &Library) -> Result<Option<Self>> {
        type Init = unsafe extern "C" fn(*mut c_int, *mut c_void, c_int, *mut c_int) -> c_int;
        type Text = unsafe extern "C" fn(*mut c_char, *mut c_int) -> c_int;
        // SAFETY: the types are those of the standard.
        let found = unsafe {
            (
                Calls::of(name, library),
                function::<Init>(library, "MPI_Init_thread"),
                function::<Text>(library, "MPI_Get_library_version"),
                function::<Text>(library, "MPI_Get_processor_name"),
            )
        };
        let (Some(calls), Some(init), Some(version), Some(host)) = found else { return Ok(None) };
        let told_by = |text: Text| {
            // As long as the longest that any library has.
            let (mut told, mut len) = ([0u8; 8192 + 1], 0);
            // SAFETY: both functions write a text of so many bytes at most, and its length.
            unsafe { text(told.as_mut_ptr().cast(), &mut len) };
            let told = String::from_utf8_lossy(&told[..(len.max(0) as usize).min(told.len())]).into_owned();
            told.split([',', '\n', '\0']).next().unwrap_or(name).trim().to_owned()
        };
        let (version, mut provided) = (told_by(version), 0);
        // SAFETY: null for the arguments of the program is allowed since MPI 2; the last is a variable of the type told.
        let began = unsafe { init(std::ptr::null_mut(), std::ptr::null_mut(), calls.abi.serialized, &mut provided) };
        if began != 0 {
            return Error::setting(format!("MPI ({name}) did not begin: error {began}"));
        }
        let world = calls.abi.world;
        let library = Arc::new(Begun { calls: Mutex::new(calls), version, host: told_by(host) });
        Self::of(library, world).map(Some)
    }

    /// Those of a communicator.
    fn of(library: Arc<Begun>, communicator: Handle) -> Result<Self> {
        let (mut rank, mut size) = (0, 0);
        let calls = library.now();
        // SAFETY: both point to a variable of the type told.
        told(unsafe { (calls.rank)(communicator, &mut rank) + (calls.size)(communicator, &mut size) })?;
        drop(calls);
        Ok(Self { library, communicator, rank: rank as usize, size: size as usize })
    }

    /// Those that call this with the same colour, in the order that they have here. All must call it.
    ///
    /// # Errors
    /// If the library refuses.
    pub fn split(&self, colour: usize) -> Result<Self> {
        let mut communicator: Handle = 0;
        let calls = self.library.now();
        // SAFETY: a handle is written there, into its low half where it is an `int`.
        told(unsafe { (calls.split)(self.communicator, colour as c_int, self.rank as c_int, &mut communicator) })?;
        drop(calls);
        Self::of(self.library.clone(), communicator)
    }

    /// How many processes there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What the library calls itself.
    pub fn version(&self) -> &str {
        &self.library.version
    }

    /// Calls `f`, which sends and receives chunks, for pieces of them whose numbers of bytes are counts of MPI.
    fn in_pieces(
        &self,
        chunks: [usize; 2],
        send: &[u8],
        receive: &mut [u8],
        f: impl Fn(&Calls, &[u8], &mut [u8], c_int) -> c_int,
    ) -> Result<()> {
        let chunk = send.len() / chunks[0];
        assert!(send.len() == chunk * chunks[0] && receive.len() == chunk * chunks[1], "MPI: a chunk for each");
        let (most, calls) = (MOST / self.size, self.library.now());
        if chunk <= most {
            return told(f(&calls, send, receive, chunk as c_int));
        }
        for at in (0..chunk).step_by(most) {
            let len = most.min(chunk - at);
            let piece: Vec<u8> = send.chunks_exact(chunk).flat_map(|chunk| &chunk[at..at + len]).copied().collect();
            let mut received = vec![0; len * chunks[1]];
            told(f(&calls, &piece, &mut received, len as c_int))?;
            let places = receive.chunks_exact_mut(chunk).map(|chunk| &mut chunk[at..at + len]);
            received.chunks_exact(len).zip(places).for_each(|(piece, place)| place.copy_from_slice(piece));
        }
        Ok(())
    }
}

impl Begun {
    fn now(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().expect("nothing panics with it")
    }
}

impl Calls {
    /// # Safety
    /// The functions that `library` has under the names of the standard are those of the standard.
    unsafe fn of(name: &str, library: &Library) -> Option<Self> {
        // SAFETY: the caller's; the fields have the types of the functions.
        unsafe {
            Some(Self {
                abi: abi_of(name, library),
                rank: function(library, "MPI_Comm_rank")?,
                size: function(library, "MPI_Comm_size")?,
                split: function(library, "MPI_Comm_split")?,
                all_to_all: function(library, "MPI_Alltoall")?,
                all_gather: function(library, "MPI_Allgather")?,
                broadcast: function(library, "MPI_Bcast")?,
                finalize: function(library, "MPI_Finalize")?,
                abort: function(library, "MPI_Abort")?,
            })
        }
    }
}

/// How a library writes its constants: Open MPI as variables, MPICH and its relatives as numbers, the standard as others.
///
/// # Safety
/// `library` is one of MPI, or none.
unsafe fn abi_of(name: &str, library: &Library) -> Abi {
    // SAFETY: these are variables, whose addresses alone are taken.
    let [world, byte] = unsafe {
        ["ompi_mpi_comm_world", "ompi_mpi_byte"]
            .map(|name| library.get::<*mut c_void>(name.as_bytes()).ok().map(|s| s.try_as_raw_ptr()))
    };
    match (world.flatten(), byte.flatten()) {
        (Some(world), Some(byte)) => Abi { world: world as Handle, byte: byte as Handle, serialized: 2 },
        _ if Path::new(name).file_name().is_some_and(|file| file.to_string_lossy().contains("mpi_abi")) => {
            Abi { world: 0x101, byte: 0x247, serialized: 2048 }
        }
        _ => Abi { world: 0x4400_0000, byte: 0x4c00_010d, serialized: 2 },
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

    fn host(&self) -> &str {
        &self.library.host
    }

    fn all_to_all(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        self.in_pieces([self.size; 2], send, receive, |calls, send, receive, count| {
            let byte = calls.abi.byte;
            // SAFETY: each buffer has `size` chunks of so many bytes.
            unsafe {
                (calls.all_to_all)(send.as_ptr().cast(), count, byte, receive.as_mut_ptr().cast(), count, byte, self.communicator)
            }
        })
    }

    fn all_gather(&self, send: &[u8], receive: &mut [u8]) -> Result<()> {
        self.in_pieces([1, self.size], send, receive, |calls, send, receive, count| {
            let byte = calls.abi.byte;
            // SAFETY: so many bytes are sent, and received of each.
            unsafe {
                (calls.all_gather)(send.as_ptr().cast(), count, byte, receive.as_mut_ptr().cast(), count, byte, self.communicator)
            }
        })
    }

    fn broadcast(&self, bytes: &mut [u8]) -> Result<()> {
        let calls = self.library.now();
        for piece in bytes.chunks_mut(MOST) {
            // SAFETY: the buffer has so many bytes.
            told(unsafe {
                (calls.broadcast)(piece.as_mut_ptr().cast(), piece.len() as c_int, calls.abi.byte, 0, self.communicator)
            })?;
        }
        Ok(())
    }

    fn leave(&self) {
        // SAFETY: nothing of MPI is called afterwards: whoever leaves is done.
        unsafe { (self.library.now().finalize)() };
    }

    fn abandon(&self, code: u8) {
        let calls = self.library.now();
        // SAFETY: it does not come back.
        unsafe { (calls.abort)(calls.abi.world, code.into()) };
    }
}
