//! Which run is under way, in a file: one that ends the process, by memory or by the stack, leaves no other word of itself.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file with the arguments that make the current run again, as long as there are runs.
pub(crate) struct Running {
    path: PathBuf,
    file: File,
    /// Where the number stands.
    number_at: u64,
}

impl Running {
    /// Begins the file with the arguments of this process, behind which others count instead.
    pub(crate) fn begin(folder: &Path, seed: u64) -> io::Result<Self> {
        let path = folder.join(format!("running-{seed}.txt"));
        let mut file = File::create(&path)?;
        for argument in std::env::args_os().skip(1) {
            write!(file, "{} ", argument.display())?;
        }
        write!(file, "--runs 1 --first ")?;
        let number_at = file.stream_position()?;
        Ok(Self { path, file, number_at })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The number of the run that comes now. As wide as the widest, so that nothing of another one stays behind it.
    pub(crate) fn set(&mut self, number: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.number_at))?;
        self.file.write_all(format!("{number:<20}\n").as_bytes())
    }

    /// After the last run.
    pub(crate) fn end(self) -> io::Result<()> {
        drop(self.file);
        fs::remove_file(self.path)
    }
}
