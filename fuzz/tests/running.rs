//! What a run that ends the process leaves.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn fuzz(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otlp-fuzz"));
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn run_that_ends_the_process_is_made_again_by_what_it_leaves() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("running");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("running-7.txt");
    let folder = folder.to_str().expect("a folder named in UTF-8");
    let mut process = fuzz(&["--seed", "7", "--signal", "logs", "--findings", folder]).spawn().expect("a process");
    let number = |left: &str| left.rsplit_once("--first ").and_then(|(_, number)| number.trim().parse::<u64>().ok());
    let begin = Instant::now();
    while fs::read_to_string(&path).ok().and_then(|left| number(&left)).is_none_or(|number| number < 12) {
        assert!(begin.elapsed() < Duration::from_secs(60), "no runs");
        sleep(Duration::from_millis(5));
    }
    process.kill().and_then(|()| process.wait()).expect("an end");
    let left = fs::read_to_string(&path).expect("a file that stays");
    assert!(left.starts_with("--seed 7 --signal logs "), "{left}");

    let arguments: Vec<&str> = left.split_whitespace().collect();
    let again = fuzz(&arguments).stdout(Stdio::piped()).output().expect("the run again");
    assert!(String::from_utf8_lossy(&again.stdout).contains("\n1 requests in "), "{again:?}");
    assert!(again.status.success() && !path.exists(), "a good end leaves nothing: {again:?}");
}
