//! A state dict as `torch.save` writes it: a zip archive of a pickle and, a file each, the elements of the tensors.

mod pickle;
#[cfg(test)]
mod tests;

use crate::error::ExportError;
use nn::checkpoint::{Array, Names, write_atomically};
use nn::{Net, parameters};
use std::io::{BufWriter, Seek, Write};
use std::path::Path;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The folder in the archive, as `torch.save` calls it.
const FOLDER: &str = "archive";

/// Where the elements of a tensor begin: at a multiple of this, so that a program may map the file.
const ALIGNMENT: u16 = 64;

/// Values that become bytes at a time.
const BLOCK: usize = 1 << 14;

/// A network's parameters and buffers as a state dict of PyTorch: a `.pth` file that `torch.load(FILE, weights_only=True)` reads.
///
/// The keys are the network's own, as `torch.nn.Sequential` of the same layers has them, or those of [`names`](Self::names). PyTorch's
/// batch norms count batches under `num_batches_tracked`, which `load_state_dict(strict=True)` fills in itself.
///
/// ```
/// use export::StateDict;
/// use gpu_core::Device;
/// use nn::{Init, zoo};
/// let net = zoo::build("resnet18", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10)?;
/// let names = zoo::torchvision("resnet18", &net).expect("torchvision has a ResNet-18");
/// let folder = tempfile::tempdir()?;
/// StateDict::new(&net).names(names).write(folder.path().join("resnet18.pth"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StateDict<'a> {
    net: &'a Net,
    names: Names,
}

impl<'a> StateDict<'a> {
    /// Of `net`, under its own keys.
    pub fn new(net: &'a Net) -> Self {
        Self { net, names: Names::default() }
    }

    /// Under another program's keys; a layer that has none there keeps its own.
    pub fn names(self, names: Names) -> Self {
        Self { names, ..self }
    }

    /// Writes the file, or leaves the old one as it is. The same network gives the same bytes.
    ///
    /// # Errors
    /// A fault of the device, or whatever the file system says.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ExportError> {
        let (path, tensors) = (path.as_ref(), self.tensors()?);
        let written = write_atomically(path, |file| Ok(archive(&tensors, file)?));
        written.map_err(|source| ExportError::Write { path: path.to_owned(), source })
    }

    /// Keys and tensors, in the network's order.
    fn tensors(&self) -> Result<Vec<(String, Array)>, ExportError> {
        let tensors = parameters(self.net).into_iter().map(|(key, param)| {
            let shape = param.shape().dims().to_vec();
            Ok((self.names.theirs(&key).unwrap_or(key), Array { shape, values: param.value().to_vec()? }))
        });
        tensors.collect()
    }
}

/// Writes the archive; nothing in it is compressed.
fn archive(tensors: &[(String, Array)], out: impl Write + Seek) -> ZipResult<()> {
    let mut archive = ZipWriter::new(BufWriter::new(out));
    begin(&mut archive, "data.pkl", 0)?;
    archive.write_all(&pickle::state_dict(tensors.iter().map(|(key, array)| (key.as_str(), &array.shape[..]))))?;
    begin(&mut archive, "byteorder", 0)?;
    archive.write_all(b"little")?;
    for (number, (_, array)) in tensors.iter().enumerate() {
        begin(&mut archive, &format!("data/{number}"), 4 * array.values.len())?;
        for block in array.values.chunks(BLOCK) {
            archive.write_all(&block.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
        }
    }
    begin(&mut archive, "version", 0)?;
    archive.write_all(b"3\n")?;
    archive.finish()?.flush()?;
    Ok(())
}

/// Begins a file of so many bytes.
fn begin<W: Write + Seek>(archive: &mut ZipWriter<W>, name: &str, bytes: usize) -> ZipResult<()> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).with_alignment(ALIGNMENT);
    // The time would be another in every file.
    let options = options.last_modified_time(DateTime::default()).large_file(bytes > u32::MAX as usize);
    archive.start_file(format!("{FOLDER}/{name}"), options)
}
