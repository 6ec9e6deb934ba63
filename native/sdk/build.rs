//! Translates the walker to C with Cython and compiles it into this crate.
//!
//! The Python whose headers count is the one that maturin builds for: `PYO3_PYTHON`, else `python3`. Cython must be
//! importable there, which the `build-system.requires` of pyproject.toml sees to.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let sources = PathBuf::from("src");
    for entry in std::fs::read_dir(&sources).expect("native/sdk/src is there") {
        let path = entry.expect("readable").path();
        if path
            .extension()
            .is_some_and(|extension| ["pyx", "pxi", "pxd", "h"].iter().any(|wanted| extension == *wanted))
        {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
    println!("cargo::rerun-if-env-changed=PYO3_PYTHON");

    let python = env::var("PYO3_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let generated = out.join("_sdk.c");
    run(
        Command::new(&python)
            .args(["-m", "cython", "-3", "--module-name", "otlp_fast._sdk", "-o"])
            .arg(&generated)
            .arg(sources.join("_sdk.pyx")),
        "Cython could not translate native/sdk/src/_sdk.pyx (is Cython installed for this Python?)",
    );
    let include = run(
        Command::new(&python).args(["-c", "import sysconfig; print(sysconfig.get_paths()['include'])"]),
        "Python did not say where its headers are",
    );
    let plat_include = run(
        Command::new(&python).args(["-c", "import sysconfig; print(sysconfig.get_paths()['platinclude'])"]),
        "Python did not say where its platform headers are",
    );

    // Python.h asks the linker of Windows for Python's import library by name only: this is where it lies.
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("windows") {
        let base = run(
            Command::new(&python).args(["-c", "import sys; print(sys.base_prefix)"]),
            "Python did not say where it is installed",
        );
        println!("cargo::rustc-link-search=native={}", Path::new(base.trim()).join("libs").display());
    }

    cc::Build::new()
        .file(&generated)
        .include(Path::new(include.trim()))
        .include(Path::new(plat_include.trim()))
        .include(&sources)
        // The symbol of a static library is not exported from a cdylib: abi.rs exports the real name and forwards.
        .define("PyInit__sdk", "otlp_fast_pyinit_sdk")
        .opt_level(if env::var("PROFILE").as_deref() == Ok("release") { 3 } else { 1 })
        .warnings(false)
        .compile("otlp_fast_sdk_walker");
}

fn run(command: &mut Command, complaint: &str) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{complaint}: {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{complaint}\n{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
