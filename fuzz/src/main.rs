//! `cargo run --release -p otlp-fuzz -- --help`

mod running;

use fastrand::Rng;
use otlp_fuzz::oracles::{Breach, Outcome};
use otlp_fuzz::seeds::{self, Seeds};
use otlp_fuzz::tracezip::{self, Decodes};
use otlp_fuzz::{TRACEZIP_ALLOWANCE, guarded, inputs, judge, mutate};
use otlp_schema::signal::Signal;
use running::Running;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A request that takes longer is reported. Not a failure: the machine may have been busy.
const SLOW: Duration = Duration::from_secs(1);

const HELP: &str = "\
Mutates OTLP requests, reads what comes out with everything that reads OTLP, and holds the answers against oracles.

    cargo run --release -p otlp-fuzz -- [OPTIONS]

    --tracezip        sends them through both ends of tracezip streams instead, and mutated frames after them
    --runs N          how many requests to read (100,000)
    --seed N          where the random numbers begin (0); the same seed gives the same requests
    --first N         the number of the first of them (0), to see one again by its number
    --corpus FOLDER   captured requests (*-traces.otlp.zst and the like) besides those that the schema makes up
    --replay FILE     read one request again that was found before; needs --signal
    --signal NAME     traces, logs or metrics; all of them without it
    --findings DIR    where to write what was found (.)
    --inputs FOLDER   writes inputs for fuzz/guided to begin with, a folder for each target, and mutates nothing

The exit status is 1 where something was found. A run that ends the process, by memory or by the stack, leaves running-SEED.txt
beside the findings, with the arguments that make it again. Ctrl-C ends with the summary of what was done so far.";

struct Options {
    tracezip: bool,
    first: u64,
    runs: u64,
    seed: u64,
    corpus: Option<PathBuf>,
    replay: Option<PathBuf>,
    signal: Option<Signal>,
    findings: PathBuf,
    inputs: Option<PathBuf>,
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        tracezip: false,
        first: 0,
        runs: 100_000,
        seed: 0,
        corpus: None,
        replay: None,
        signal: None,
        findings: PathBuf::from("."),
        inputs: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("tracezip") => options.tracezip = true,
            Long("first") => options.first = parser.value()?.parse()?,
            Long("runs") => options.runs = parser.value()?.parse()?,
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("corpus") => options.corpus = Some(parser.value()?.into()),
            Long("replay") => options.replay = Some(parser.value()?.into()),
            Long("signal") => options.signal = Some(parser.value()?.parse()?),
            Long("inputs") => options.inputs = Some(parser.value()?.into()),
            Long("findings") => options.findings = parser.value()?.into(),
            Short('h') | Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let ended = match options() {
        Ok(Some(options)) => run(&options),
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("otlp-fuzz: {message}");
            ExitCode::from(2)
        }
    }
}

/// Gives the number of findings.
fn run(options: &Options) -> Result<usize, String> {
    if let Some(path) = &options.replay {
        if options.tracezip {
            return Err(
                "--replay is of requests; a run of --tracezip is made again by --seed, --first and --runs 1".into()
            );
        }
        let signal = options.signal.ok_or("--replay needs --signal")?;
        let request = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let ended = judge(&request, signal, &mut Rng::with_seed(options.seed));
        println!("{ended:?}");
        return Ok(usize::from(ended.is_err()));
    }
    let mut random = Rng::with_seed(options.seed);
    let mut seeds = seeds::collect(options.corpus.as_deref(), 300, &mut random)?;
    seeds.retain(|seeds| options.signal.is_none_or(|signal| signal == seeds.signal));
    for Seeds { signal, requests } in &seeds {
        eprintln!("{signal:?}: {} seeds", requests.len());
    }
    if let Some(folder) = &options.inputs {
        return inputs::write(folder, &seeds, &mut random).map(|()| 0);
    }
    static STOPPED: AtomicBool = AtomicBool::new(false);
    ctrlc::set_handler(|| STOPPED.store(true, Ordering::Relaxed)).map_err(|error| error.to_string())?;
    // A panic is told as a finding, with its message.
    std::panic::set_hook(Box::new(|_| {}));

    let told_of = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut running =
        Running::begin(&options.findings, options.seed).map_err(|error| told_of(&options.findings, error))?;
    eprintln!("a run that ends the process is named in {}", running.path().display());
    let mut tally = Tally::default();
    let begin = Instant::now();
    let mut told = begin;
    for number in options.first..options.first.saturating_add(options.runs) {
        if STOPPED.load(Ordering::Relaxed) {
            break;
        }
        running.set(number).map_err(|error| told_of(running.path(), error))?;
        // Each request has random numbers of its own, so that one is made again without those before it.
        let mut random = Rng::with_seed(options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number));
        let Seeds { signal, requests } = &seeds[random.usize(..seeds.len())];
        let (one, other) = (&requests[random.usize(..requests.len())], &requests[random.usize(..requests.len())]);
        let request = mutate::mutate(one, other, signal.request(), &mut random);
        let start = Instant::now();
        let ended = if options.tracezip {
            let requests = [&request, one, other].map(Vec::as_slice);
            guarded(TRACEZIP_ALLOWANCE, || {
                tracezip::check(*signal, &requests, &mut random, &mut tally.decodes).map(|()| Outcome::Accepted)
            })
        } else {
            judge(&request, *signal, &mut random)
        };
        if start.elapsed() > SLOW {
            eprintln!("run {number}: {} bytes took {:?}", request.len(), start.elapsed());
        }
        if let Err(breach) = &ended {
            let path = options.findings.join(format!("finding-{}-{number}.bin", options.seed));
            eprintln!("\nrun {number}, {signal:?}: {breach}\n  written to {}", path.display());
            std::fs::write(&path, &request).map_err(|error| told_of(&path, error))?;
        }
        tally.add(&ended);
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            let done = number + 1 - options.first;
            eprint!("\r{done} of {} requests, {} findings ", options.runs, tally.findings);
        }
    }
    running.end().map_err(|error| told_of(&options.findings, error))?;
    tally.tell(begin.elapsed());
    Ok(tally.findings)
}

/// What became of all requests.
#[derive(Default)]
struct Tally {
    decodes: Decodes,
    accepted: u64,
    over_limit: u64,
    refused: BTreeMap<String, u64>,
    findings: usize,
}

impl Tally {
    fn add(&mut self, ended: &Result<Outcome, Breach>) {
        match ended {
            Ok(Outcome::Accepted) => self.accepted += 1,
            Ok(Outcome::OverLimit) => self.over_limit += 1,
            Ok(Outcome::Refused(kind)) => *self.refused.entry(format!("{kind:?}")).or_default() += 1,
            Err(_) => self.findings += 1,
        }
    }

    fn tell(&self, elapsed: Duration) {
        let refused: u64 = self.refused.values().sum();
        let runs = self.accepted + self.over_limit + refused + self.findings as u64;
        let rate = runs as f64 / elapsed.as_secs_f64();
        println!("\n{runs} requests in {:.0} s, {rate:.0} per second", elapsed.as_secs_f64());
        println!("{} accepted, {} over a limit, {refused} refused:", self.accepted, self.over_limit);
        for (kind, count) in &self.refused {
            println!("  {kind} {count}");
        }
        if self.decodes.count() > 0 {
            println!("{} frames decoded, {} of them taken; refused:", self.decodes.count(), self.decodes.taken);
            for (problem, count) in &self.decodes.refused {
                println!("  {problem} {count}");
            }
        }
        println!("{} findings", self.findings);
    }
}
