//! Kernels with run-time dispatch: Latin-1, UCS-2 and UCS-4 to UTF-8 here, records of fixed size in [`records`].
//!
//! Laid out by instruction set. Each path has the same three functions with the same contract; [`Path::Scalar`] is
//! compiled and tested on every machine, and one test body runs over all paths that the machine has. What a path does,
//! and why not otherwise, is in the header of its file.
//!
//! The path is chosen once for each call, not for each block: the functions with a path of their own are for tests and
//! benchmarks, and the crate's [`Text`](crate::text::Text) uses [`active`]. A short string goes to scalar
//! code before anything is looked up.
//!
//! The way back, that bytes are UTF-8, is checked in [`utf8`], with words for short strings and by simdutf8 for long
//! ones.
//!
//! Every kernel reserves the most that the input can take and then writes without asking (`sink.rs`). A counting pass
//! first would give an exact reservation, but it reads the text twice, and the output is a pooled buffer that stays.

use core::fmt;
use core::str::FromStr;
use core::sync::atomic::{AtomicU8, Ordering};

#[cfg(target_arch = "x86_64")]
mod avx2;
pub mod records;
mod scalar;
mod sink;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(target_arch = "x86_64")]
mod tables;
pub mod utf8;

/// UTF-8 bytes that a Latin-1 unit can take.
pub(crate) const LATIN1_MAX_BYTES: usize = 2;

/// UTF-8 bytes that a UCS-2 unit can take.
pub(crate) const UCS2_MAX_BYTES: usize = 3;

/// UTF-8 bytes that a UCS-4 unit can take.
pub(crate) const UCS4_MAX_BYTES: usize = 4;

/// Latin-1 and UCS-2 strings of fewer units than this are scalar whatever the active path is: the AVX2 kernels start
/// here.
const SHORT: usize = 8;

/// The same for UCS-4, where a block with an emoji in it is dearer. On AVX2, English with an emoji lost 10 to 20 %
/// from 8 to 16 units, where Cyrillic with one gained 20 to 40 %, and lost up to 7 % from 16 to 24. The threshold takes
/// the former for the commoner of the two; every longer set of `benchmarks/kernels` gains.
const SHORT_UCS4: usize = 16;

/// Spare capacity, on top of the most that the text can take, with which no kernel makes the vector grow: the last
/// block is written whole, also where it stands for a single unit.
pub const OVERHANG: usize = 64;

/// A set of kernels by the instructions they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// No vector instructions; on every machine.
    Scalar,
    /// SSE2, which every x86-64 has.
    Sse2,
    /// AVX2 and POPCNT.
    Avx2,
}

impl Path {
    /// All paths, slowest first.
    const ALL: [Path; 3] = [Path::Scalar, Path::Sse2, Path::Avx2];

    /// Whether this machine can run it.
    #[inline]
    pub fn is_available(self) -> bool {
        match self {
            Path::Scalar => true,
            Path::Sse2 => cfg!(target_arch = "x86_64"),
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt"),
            #[cfg(not(target_arch = "x86_64"))]
            Path::Avx2 => false,
        }
    }

    /// The paths this machine can run, slowest first; [`Path::Scalar`] is always among them.
    pub fn available() -> impl Iterator<Item = Path> {
        Path::ALL.into_iter().filter(|path| path.is_available())
    }

    /// Itself where the machine has it, [`Path::Scalar`] otherwise.
    #[inline]
    fn or_scalar(self) -> Path {
        if self.is_available() { self } else { Path::Scalar }
    }

    /// The name that `OTLP_FAST_SIMD` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Path::Scalar => "scalar",
            Path::Sse2 => "sse2",
            Path::Avx2 => "avx2",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Path {
    type Err = UnknownPath;

    /// Reads a name as [`Path::name`] gives it: lower case, nothing around it.
    fn from_str(name: &str) -> Result<Self, UnknownPath> {
        let found = Path::ALL.into_iter().find(|path| path.name() == name);
        found.ok_or_else(|| UnknownPath { name: name.into() })
    }
}

/// The error for a name that is no [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPath {
    name: Box<str>,
}

impl fmt::Display for UnknownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown SIMD path {:?}, expected one of", self.name)?;
        for (index, path) in Path::ALL.into_iter().enumerate() {
            write!(f, "{} {path}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl core::error::Error for UnknownPath {}

/// The error for a [`Path`] that this machine cannot run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    path: Path,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIMD path {} is not available on this machine, available are", self.path)?;
        for (index, path) in Path::available().enumerate() {
            write!(f, "{} {path}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl core::error::Error for Unavailable {}

/// What [`active`] gives, as its place in [`Path::ALL`] plus one; 0 where nobody has asked yet.
///
/// Relaxed order is enough: the value stands for itself, and two threads that detect at once store the same.
static ACTIVE: AtomicU8 = AtomicU8::new(0);

/// The path in use: the one that was forced, or else the fastest that the machine has.
#[inline]
pub fn active() -> Path {
    match ACTIVE.load(Ordering::Relaxed) {
        1 => Path::Scalar,
        2 => Path::Sse2,
        3 => Path::Avx2,
        _ => detect(),
    }
}

#[cold]
fn detect() -> Path {
    let path = Path::available().last().unwrap_or(Path::Scalar);
    // A path that was forced in the meantime stays.
    let _ = ACTIVE.compare_exchange(0, stored(path), Ordering::Relaxed, Ordering::Relaxed);
    path
}

/// Makes `path` the active one for the whole process.
///
/// # Errors
/// [`Unavailable`] where this machine cannot run it; the active path stays as it was.
pub fn force(path: Path) -> Result<(), Unavailable> {
    if !path.is_available() {
        return Err(Unavailable { path });
    }
    ACTIVE.store(stored(path), Ordering::Relaxed);
    Ok(())
}

const fn stored(path: Path) -> u8 {
    match path {
        Path::Scalar => 1,
        Path::Sse2 => 2,
        Path::Avx2 => 3,
    }
}

/// Appends Latin-1 text as UTF-8, on the given path. Returns 0: every unit is a character.
///
/// A path that the machine lacks runs as [`Path::Scalar`], and so does one without a kernel for this form.
pub fn latin1_to_utf8_with(path: Path, src: &[u8], out: &mut Vec<u8>) -> usize {
    // SAFETY: the path is one that the machine has.
    unsafe { latin1_on(path.or_scalar(), src, out) }
}

/// Appends UCS-2 text as UTF-8, on the given path, U+FFFD for each surrogate. Returns how many there were.
///
/// A path that the machine lacks runs as [`Path::Scalar`].
pub fn ucs2_to_utf8_with(path: Path, src: &[u16], out: &mut Vec<u8>) -> usize {
    // SAFETY: the path is one that the machine has.
    unsafe { ucs2_on(path.or_scalar(), src, out) }
}

/// Appends UCS-4 text as UTF-8, on the given path, U+FFFD for each surrogate and each value above U+10FFFF. Returns how
/// many there were.
///
/// A path that the machine lacks runs as [`Path::Scalar`].
pub fn ucs4_to_utf8_with(path: Path, src: &[u32], out: &mut Vec<u8>) -> usize {
    // SAFETY: the path is one that the machine has.
    unsafe { ucs4_on(path.or_scalar(), src, out) }
}

/// [`latin1_to_utf8_with`] on the active path.
#[inline]
pub(crate) fn latin1_to_utf8(src: &[u8], out: &mut Vec<u8>) -> usize {
    if src.len() < SHORT {
        return scalar::latin1(src, out);
    }
    // SAFETY: the active path is one that the machine has.
    unsafe { latin1_on(active(), src, out) }
}

/// [`ucs2_to_utf8_with`] on the active path.
#[inline]
pub(crate) fn ucs2_to_utf8(src: &[u16], out: &mut Vec<u8>) -> usize {
    if src.len() < SHORT {
        return scalar::ucs2(src, out);
    }
    // SAFETY: the active path is one that the machine has.
    unsafe { ucs2_on(active(), src, out) }
}

/// [`ucs4_to_utf8_with`] on the active path.
#[inline]
pub(crate) fn ucs4_to_utf8(src: &[u32], out: &mut Vec<u8>) -> usize {
    if src.len() < SHORT_UCS4 {
        return scalar::ucs4(src, out);
    }
    // SAFETY: the active path is one that the machine has.
    unsafe { ucs4_on(active(), src, out) }
}

/// # Safety
/// The machine has `path`.
#[inline]
unsafe fn latin1_on(path: Path, src: &[u8], out: &mut Vec<u8>) -> usize {
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller says that the machine has the instructions.
        Path::Avx2 => unsafe { avx2::latin1(src, out) },
        _ => scalar::latin1(src, out),
    }
}

/// # Safety
/// The machine has `path`.
#[inline]
unsafe fn ucs2_on(path: Path, src: &[u16], out: &mut Vec<u8>) -> usize {
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller says that the machine has the instructions.
        Path::Avx2 => unsafe { avx2::ucs2(src, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: SSE2 is part of x86-64.
        Path::Sse2 => unsafe { sse2::ucs2(src, out) },
        _ => scalar::ucs2(src, out),
    }
}

/// # Safety
/// The machine has `path`.
#[inline]
unsafe fn ucs4_on(path: Path, src: &[u32], out: &mut Vec<u8>) -> usize {
    match path {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller says that the machine has the instructions.
        Path::Avx2 => unsafe { avx2::ucs4(src, out) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: SSE2 is part of x86-64.
        Path::Sse2 => unsafe { sse2::ucs4(src, out) },
        _ => scalar::ucs4(src, out),
    }
}
