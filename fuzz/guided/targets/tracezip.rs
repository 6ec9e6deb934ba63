#![no_main]

otlp_fuzz_guided::guided!(otlp_fuzz::targets::Target::Tracezip);
